use super::*;

/// A chapter in which every kind of type stands.
const SMALL: &str = "\
# Small

## `Colour`

`Colour` is an enum (2 bytes).

- `red = 1`: as blood
- `blue = 0x102`

## `Pixel`

| field | type | size | set by | checked by |
|---|---|---|---|---|
| x | uint16 | 2 | user | ENC-01 to ENC-03, GRP-01 |
| colour | `Colour` | 2 | user | ENC-01, ENC-04 |

## `Picture`

| field | type | size | set by | checked by |
|---|---|---|---|---|
| title | Name | 2..65 | user | ENC-01 |
| mark | opaque[3] | 3 | user | ENC-01 |
| text | opaque<2..4> | 3..5 | user | ENC-01 |
| pixels | Pixel<4..2^16-1> | 6..65537 | BSD | ENC-01 |
| depth | `optional<uint8>` | 1..2 | BSD | ENC-01 |
| wide | uint24 | 3 | BSD | ENC-01 |
| note | Text | 2..65537 | BSD | ENC-01 |

## `Entry`

| field | type | size | set by | checked by |
|---|---|---|---|---|
| kind | enum (1 byte) | 1 | BSD | ENC-02 |
| body | select(kind) | 0..9 | BSD | nobody: it is a body |

- `nothing = 0`
- `instant = 7`
- `pixel = 8`: `Pixel`
- other = 9: `Pixel`

## `Entry.nothing`

| field | type | size | set by | checked by |
|---|---|---|---|---|

## `Entry.instant`

| field | type | size | set by | checked by |
|---|---|---|---|---|
| at | Time | 8 | BSD | ENC-02 |
| sure | enum(1) | 1 | BSD | ENC-02 |

- `no = 0`
- `yes = 1`

## Not a message

```
## `Fenced`
```

- `stray = 1`
";

fn small() -> Tables {
    Tables::parse(&[("small.md", SMALL)]).expect("the tables are right")
}

fn flaws(chapter: &str) -> Vec<String> {
    let flaws = Tables::parse(&[("x.md", chapter)]).expect_err("something is wrong with it");
    flaws.iter().map(Flaw::to_string).collect()
}

/// One message `M` with these rows.
fn message(rows: &str) -> String {
    format!("## `M`\n\n| field | type | size | set by | checked by |\n|---|---|---|---|---|\n{rows}\n")
}

const PICTURE: &[u8] = &[
    2, b'a', b'b', // title
    9, 8, 7, // mark
    2, 1, 1, // text
    0, 8, 0, 5, 0, 1, 0, 6, 1, 2, // two pixels
    1, 77, // depth
    1, 0, 2, // wide
    0, 2, 0xc3, 0xa9, // note
];

#[test]
fn a_value_of_every_type_is_read_and_written_again() {
    let tables = small();
    let tree = tables.walk("Picture", PICTURE).expect("it is a picture");
    assert_eq!(tree.encode(), PICTURE);
    assert_eq!(tree.at("wide"), Some(&Tree::Number { width: 3, value: 0x1_0002 }));
    assert_eq!(tree.at("title"), Some(&Tree::Opaque { prefix: 1, bytes: b"ab" }));
    let Some(Tree::List { prefix: 2, items }) = tree.at("pixels") else { panic!("a vector") };
    assert_eq!(items[1].at("colour"), Some(&Tree::Choice { width: 2, value: 0x102, name: "blue" }));
    assert_eq!(tree.at("depth.deeper"), None);
}

#[test]
fn the_value_of_an_enum_selects_the_fields_that_follow() {
    let tables = small();
    for bytes in [&[0][..], &[7, 0, 0, 0, 0, 0, 0, 0, 9, 1], &[8, 0, 1, 0, 1], &[9, 0, 1, 0, 1]] {
        assert_eq!(tables.walk("Entry", bytes).expect("an entry").encode(), bytes);
    }
    let instant =
        tables.walk("Entry", &[7, 0, 0, 0, 0, 0, 0, 0, 9, 1]).expect("an entry").at("body.at").cloned();
    assert_eq!(instant, Some(Tree::Number { width: 8, value: 9 }));
    let pixel = tables.walk("Entry", &[8, 0, 5, 0, 1]).expect("an entry").at("body.x").cloned();
    assert_eq!(pixel, Some(Tree::Number { width: 2, value: 5 }));
    assert_eq!(tables.walk("Entry", &[1]).expect_err("not listed").field, "Entry.kind");
    assert_eq!(
        tables.walk("Entry", &[7, 0, 0, 0, 0, 0, 0, 0, 9, 2]).expect_err("not listed").field,
        "Entry.body.sure"
    );
}

#[test]
fn what_is_not_the_one_encoding_is_refused_at_its_field() {
    let tables = small();
    let changed = |at: usize, to: u8| {
        let mut bytes = PICTURE.to_vec();
        bytes[at] = to;
        tables.walk("Picture", &bytes).map(|_| ()).map_err(|m| (m.field, m.what))
    };
    let refused = |field: &str, what| Err((field.to_owned(), what));
    assert_eq!(changed(0, 0), refused("Picture.title", "its length is out of bounds"));
    assert_eq!(changed(0, 65), refused("Picture.title", "its length is out of bounds"));
    assert_eq!(changed(1, b' '), refused("Picture.title", "a byte of it is not in a name"));
    assert_eq!(changed(6, 1), refused("Picture.text", "its length is out of bounds"));
    assert_eq!(changed(6, 5), refused("Picture.text", "its length is out of bounds"));
    assert_eq!(changed(10, 0), refused("Picture.pixels", "its length is out of bounds"));
    assert_eq!(changed(10, 7), refused("Picture.pixels.colour", "the bytes end before it does"));
    assert_eq!(changed(14, 2), refused("Picture.pixels.colour", "its value is not in the list"));
    assert_eq!(changed(19, 2), refused("Picture.depth", "its first byte is neither 0 nor 1"));
    assert_eq!(changed(19, 0), refused("Picture.note", "the bytes end before it does"));
    assert_eq!(changed(26, 0x20), refused("Picture.note", "it is not UTF-8"));
    assert_eq!(tables.walk("Pixels", &[]).expect_err("no such table").what, "no table has this name");
    for length in 0..PICTURE.len() {
        assert!(tables.walk("Picture", &PICTURE[..length]).is_err());
    }
    assert!(tables.walk("Picture", &[PICTURE, &[0]].concat()).is_err());
}

#[test]
fn a_flawed_table_is_named_with_its_line() {
    let ok = "| a | uint8 | 1 | user | ENC-01 |";
    let cases = [
        (message("| a | uint7 x | 1 | user | ENC-01 |"), "x.md:5: `M`: field `a`: `uint7 x` is not a type"),
        (message("| a | uint8 | 2 | user | ENC-01 |"), "x.md:1: `M`: field `a` is 1..1 bytes, not 2"),
        (message("| a | uint8 | 1 | user | ENC-99 |"), "x.md:5: `M`: field `a`: there is no clause `ENC-99`"),
        (message("| a | uint8 | 1 | user | ENC-01, |"), "x.md:5: `M`: field `a`: there is no clause ``"),
        (
            message("| a | uint8 | 1 | user | ENC-03 to ENC-01 |"),
            "x.md:5: `M`: field `a`: `ENC-03 to ENC-01` is no range of clauses",
        ),
        (message("| a | uint8 | 1 + 1 | user | ENC-01 |"), "x.md:1: `M`: field `a` is 1..1 bytes, not 1 + 1"),
        (
            message("| a | uint8 | 1 | | ENC-01 |"),
            "x.md:5: `M`: field `a`: its size or who sets it is missing",
        ),
        (message("| a | uint8 | 1 | ENC-01 |"), "x.md:5: `M`: a row has five cells, this one 4"),
        (message("| a b | uint8 | 1 | user | ENC-01 |"), "x.md:5: `M`: `a b` cannot name a field"),
        (message("| a | Nobody | 1 | user | ENC-01 |"), "x.md:1: `M`: `Nobody` stands for nothing"),
        (message("| a | optional<M> | ? | user | ENC-01 |"), "x.md:1: `M`: `M` contains itself"),
        (
            message("| a | opaque<5..4> | ? | user | ENC-01 |"),
            "x.md:5: `M`: field `a`: `opaque<5..4>` is not a type",
        ),
        (
            message("| a | opaque[0]<0..9> | ? | user | ENC-01 |"),
            "x.md:1: `M`: the elements of a vector may be empty",
        ),
        (message("| a | enum (1 byte) | 1 | user | ENC-01 |"), "x.md:1: `M`: the enum `a` has no values"),
        (message(&format!("{ok}\n{ok}")), "x.md:6: `M`: the field `a` stands twice"),
        (
            message(&format!("{ok}\n| b | select(a) | ? | user | ENC-01 |")),
            "x.md:1: `M`: a select without cases",
        ),
        (
            message(&format!("{ok}\n\n- `stray = 1`")),
            "x.md:7: `M`: no line before this value names its field",
        ),
        (format!("{}{}", message(ok), message(ok)), "x.md:6: `M`: this name is already taken"),
        ("## `M`\n\ntext".to_owned(), "x.md:1: `M`: neither a table nor an enum stands under this heading"),
        (message(ok).replace("`M`", "`M.case`"), "x.md:1: `M.case`: `M` selects no `case`"),
    ];
    for (chapter, expected) in cases {
        let flaws = flaws(&chapter);
        assert!(flaws.iter().any(|flaw| flaw == expected), "{expected}\n{flaws:?}");
    }
}

#[test]
fn enum_values_are_distinct_and_fit_their_width() {
    let with =
        |values: &str| flaws(&message(&format!("| a | enum (1 byte) | 1 | user | ENC-01 |\n\n{values}")));
    assert_eq!(
        with("- `x = 256`"),
        ["x.md:1: `M`: the enum `a` has no values", "x.md:7: `M`: `256` is no value of 1 bytes"]
    );
    assert_eq!(with("- `x = 1`\n- `y = 1`"), ["x.md:8: `M`: `y = 1` stands twice"]);
    assert_eq!(with("- `x = 1`\n- `x = 2`"), ["x.md:8: `M`: `x = 2` stands twice"]);
}

#[test]
fn a_select_needs_a_table_for_each_case() {
    let missing = SMALL.replace("## `Entry.nothing`", "## Entry nothing");
    let expected = "x.md:29: `Entry`: select(kind): there is no table `Entry.nothing`";
    assert!(flaws(&missing).iter().any(|flaw| flaw == expected));
    let unknown = SMALL.replace("other = 9: `Pixel`", "other = 9: `Voxel`");
    let expected = "x.md:29: `Entry`: `Voxel` stands for nothing";
    assert!(flaws(&unknown).iter().any(|flaw| flaw == expected), "{:?}", flaws(&unknown));
    let twice = SMALL.replace("- `nothing = 0`\n", "- `nothing = 0`: `Pixel`\n");
    let expected = "x.md:29: `Entry`: select(kind): `nothing` has two tables";
    assert!(flaws(&twice).iter().any(|flaw| flaw == expected), "{:?}", flaws(&twice));
}

#[test]
fn the_list_under_a_line_that_names_a_field_is_its_own() {
    let rows = "| a | enum (1 byte) | 1 | user | ENC-01 |\n| b | enum (1 byte) | 1 | user | ENC-01 |";
    let chapter = message(&format!("{rows}\n\nValues of `b`:\n\n- `x = 1`\n\nValues of `a`:\n\n- `x = 2`\n"));
    let tables = Tables::parse(&[("x.md", &chapter)]).expect("no flaw");
    assert!(tables.walk("M", &[2, 1]).is_ok());
    assert!(tables.walk("M", &[1, 2]).is_err());
}

#[test]
fn an_enum_may_be_declared_in_the_text_under_a_table() {
    let rows = "| a | Answer | 1 | user | |\n| b | enum (1 byte) | 1 | user | - |\n| c | opaque<0..9> | 1 + 8 | user | ENC-01 |";
    let text = "`Answer` is an enum (1 byte):\n\n- yes = 1\n- `no = 2`: or the\n  opposite\n\n`b` means:\n\n- `x = 7`\n";
    let chapter = message(&format!("{rows}\n\n{text}"));
    let tables = Tables::parse(&[("x.md", &chapter)]).expect("no flaw");
    assert!(tables.walk("M", &[2, 7, 0]).is_ok());
    assert!(tables.walk("M", &[7, 2, 0]).is_err());
    assert!(tables.walk("Answer", &[1]).is_ok() && tables.walk("Answer", &[7]).is_err());
}

#[test]
fn the_width_of_an_enum_is_read_from_its_sentence() {
    let read = [
        "An enum of 1 byte. One",
        "An enum of 2 bytes.",
        "It is an enum (4 bytes):",
        "an enum(1)",
        "an enum",
    ];
    assert_eq!(read.map(types::enum_width_in), [Some(1), Some(2), Some(4), None, None]);
}

#[test]
fn numbers_are_read_as_the_chapters_write_them() {
    let read = ["64", "0xff01", "2^16-1", "2^24", "2^16-1+2", "16+2^4"].map(types::quantity);
    assert_eq!(read, [64, 0xff01, 65535, 1 << 24, 65537, 32].map(Some));
    let refused = ["", "x", "2^", "1-2", "2^99", "0x", "0xg", "18446744073709551616"].map(types::quantity);
    assert_eq!(refused, [None; 8]);
    let prefixes =
        [1, 255, 256, 65535, 65536, (1 << 24) - 1, 1 << 24].map(|most| Bounds { least: 0, most }.prefix());
    assert_eq!(prefixes, [1, 1, 2, 2, 3, 3, 4]);
}

#[test]
fn tables_are_shown_in_the_presentation_language() {
    let shown = small().presentation("small.md");
    let expected = "\
enum { red(1), blue(258), (65535) } Colour;

struct {
    uint16 x;       /* user; ENC-01, ENC-02, ENC-03, GRP-01 */
    Colour colour;  /* user; ENC-01, ENC-04 */
} Pixel;

struct {
    Name title;                 /* user; ENC-01 */
    opaque mark[3];             /* user; ENC-01 */
    opaque text<2..4>;          /* user; ENC-01 */
    Pixel pixels<4..2^16-1>;    /* BSD; ENC-01 */
    optional<uint8> depth;      /* BSD; ENC-01 */
    uint24 wide;                /* BSD; ENC-01 */
    Text note;                  /* BSD; ENC-01 */
} Picture;

struct {
    enum { nothing(0), instant(7), pixel(8), other(9), (255) } kind;  /* BSD; ENC-02 */
    select (Entry.kind) {                         /* BSD */
        case nothing: struct {};
        case instant:
            Time at;                              /* BSD; ENC-02 */
            enum { no(0), yes(1), (255) } sure;   /* BSD; ENC-02 */
        case pixel: Pixel;
        case other: Pixel;
    } body;
} Entry;
";
    let squeeze = |text: &str| text.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    assert_eq!(squeeze(&shown), squeeze(expected), "{shown}");
    assert_eq!(small().presentation("other.md"), "");
}

#[test]
fn the_tables_of_the_chapters_have_no_flaw() {
    match Tables::of_the_chapters() {
        Ok(tables) => assert!(tables.messages().count() >= 4, "the chapters show messages"),
        Err(flaws) => panic!("{}", flaws.iter().map(Flaw::to_string).collect::<Vec<_>>().join("\n")),
    }
}
