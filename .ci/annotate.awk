# Makes of what a failed stage printed the annotations that GitHub shows beside a change: at the line where a compiler, a formatter or a
# panic names one, and one for the stage itself. GitHub shows ten of a step.
#
#   awk -v stage=NAME -v status=CODE -f .ci/annotate.awk LOG

function escaped(text) {
  gsub(/%/, "%25", text)
  gsub(/\r/, "%0D", text)
  return text
}

function property(text) {
  text = escaped(text)
  gsub(/:/, "%3A", text)
  gsub(/,/, "%2C", text)
  return text
}

# An error at "file:line:column" or "file:line".
function at(place, title, message, parts) {
  if (shown == 9) return
  shown++
  split(place, parts, ":")
  printf "::error file=%s,line=%d,title=%s::%s\n", property(parts[1]), parts[2], property(title), escaped(message)
}

{
  sub(/\r$/, "")
  gsub(/\033(\[[0-9;]*m|\(B)/, "")
  if ($0 != "") last[count++ % 5] = $0
}
/^error(\[E[0-9]+\])?: / { message = $0; next }
/^ *--> [^ ]+:[0-9]+:[0-9]+$/ && message != "" { at($2, stage, message); message = ""; next }
/^Diff in [^ ]+:[0-9]+/ { place = $3; sub(/:$/, "", place); sub(ENVIRON["PWD"] "/", "", place); at(place, stage, "not formatted; cargo fmt --all does it"); next }
/^thread '.*'.* panicked at [^ ]+:[0-9]+:[0-9]+:$/ {
  test = $0
  sub(/^thread '/, "", test)
  sub(/'.*/, "", test)
  place = $NF
  sub(/:$/, "", place)
  panic = 1
  next
}
panic { at(place, test, $0); panic = 0 }
END {
  text = "exit code " status
  for (line = (count > 5 ? count - 5 : 0); line < count; line++) text = text "%0A" escaped(last[line % 5])
  printf "::error title=%s::%s\n", property(".ci/run " stage), text
}
