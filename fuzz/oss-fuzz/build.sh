#!/bin/bash -eu
# Builds every fuzz target into $OUT, as OSS-Fuzz and ClusterFuzzLite ask for it: the binary, its corpus, its dictionary and its
# options. Both set SRC, OUT and RUSTFLAGS, and have cargo-fuzz and a nightly compiler as the default.
cd "$SRC/bemr"
# Fuzz targets check weakened rules too; a `RUSTFLAGS` of the environment replaces the repository's own flags.
export RUSTFLAGS="${RUSTFLAGS:-} --cfg bemr_weaken"
cargo fuzz build -O --debug-assertions
built=fuzz/target/x86_64-unknown-linux-gnu/release
count=0
for file in fuzz/fuzz_targets/*.rs; do
  name=$(basename "$file" .rs)
  cp "$built/$name" "$OUT/"
  cp fuzz/bemr.dict "$OUT/$name.dict"
  printf '[libfuzzer]\nmax_len = 65536\ntimeout = 30\n' > "$OUT/$name.options"
  zip -q -j -r "$OUT/${name}_seed_corpus.zip" "fuzz/corpus/$name"
  count=$((count + 1))
done
# A build without targets is not one.
[ "$count" -gt 0 ]
