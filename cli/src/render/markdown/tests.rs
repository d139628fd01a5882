//! Markdown as it comes out: texts and what is drawn of them, however they are cut.

use super::*;

const PLAIN: Look = Look {
    width: 40,
    color: false,
};
const COLOR: Look = Look { width: 40, color: true };

/// The text, drawn as a whole, character by character, and in pieces of every length: the same each time. Styles are told
/// as `{1m...{}`.
fn drawn(text: &str, look: Look) -> String {
    let whole = in_pieces(text, look, usize::MAX);
    for length in [1, 2, 3, 5, 7, 11, 40] {
        assert_eq!(in_pieces(text, look, length), whole, "in pieces of {length}: {text:?}");
    }
    whole.replace("\u{1b}[0m", "{}").replace("\u{1b}[", "{")
}

fn in_pieces(text: &str, look: Look, length: usize) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut markdown = Markdown::new(look);
    let mut out = String::new();
    for piece in chars.chunks(length.min(chars.len().max(1))) {
        out.push_str(&markdown.push(&piece.iter().collect::<String>()));
    }
    out + &markdown.finish()
}

fn check(look: Look, text: &str, expected: &str) {
    assert_eq!(drawn(text, look), expected, "{text:?}");
}

#[test]
fn lines_are_fitted_into_the_width() {
    check(PLAIN, "", "");
    check(PLAIN, "hello", "hello\n");
    check(PLAIN, "a\n\n\n\nb\n\n", "a\n\nb\n");
    check(
        PLAIN,
        "The quick brown fox jumps over the lazy dog, twice.",
        "The quick brown fox jumps over the lazy\ndog, twice.\n",
    );
    // What the writer broke stays broken.
    check(
        PLAIN,
        "roses are red\nviolets are blue",
        "roses are red\nviolets are blue\n",
    );
    check(
        PLAIN,
        "see https://example.com/a/very/long/address/that/has/no/room here",
        "see\nhttps://example.com/a/very/long/address/that/has/no/room here\n",
    );
    check(
        PLAIN,
        "日本語日本語日本語日本語 日本語日本語日本語",
        "日本語日本語日本語日本語\n日本語日本語日本語\n",
    );
    check(PLAIN, "a\r\nb\rc", "a\nb\u{fffd}c\n");
}

#[test]
fn marks_stay_where_there_is_no_colour() {
    let text = "# Title\n\n**bold** and `code` and [a](http://b)\n\n> quoted\n";
    check(PLAIN, text, text);
    check(PLAIN, "```sh\nls  -l\n```\n", "```sh\nls  -l\n```\n");
    check(PLAIN, "* one\n1. two", "* one\n1. two\n");
}

#[test]
fn marks_become_styles_where_there_is() {
    for (text, expected) in [
        ("# Title", "{1;4mTitle{}\n"),
        ("## A *b* ##", "{1mA{} {1;3mb{}\n"),
        ("#hashtag", "#hashtag\n"),
        ("**bold text** plain", "{1mbold{} {1mtext{} plain\n"),
        ("a *b* _c_ ~~d~~ ***e***", "a {3mb{} {3mc{} {9md{} {1;3me{}\n"),
        ("snake_case and 2 * 3 * 4", "snake_case and 2 * 3 * 4\n"),
        ("`a  *b*` c", "{36ma{} {36m*b*{} c\n"),
        ("never **closed\nnext", "never **closed\nnext\n"),
        ("a \\*b\\* c", "a *b* c\n"),
        ("[text](http://a) b", "{4mtext{} {2m(http://a){} b\n"),
        ("<http://a> b", "{4mhttp://a{} b\n"),
        ("[1] and [x", "[1] and [x\n"),
        ("![a cat](c.png)", "{4ma{} {4mcat{} {2m(c.png){}\n"),
        ("a < b && c > d, Vec<u8>", "a < b && c > d, Vec<u8>\n"),
        ("&lt;b&gt; &amp; more", "<b> & more\n"),
        ("one<br>two", "one two\n"),
        ("1. not - a list", "1. not - a list\n"),
        ("***", "{2m────────────────────────────────────────{}\n"),
    ] {
        check(COLOR, text, expected);
    }
}

#[test]
fn lists_hang() {
    check(
        COLOR,
        "- one two three four five six seven eight nine\n  - inner\n\n  more\n2. second",
        "• one two three four five six seven\n  eight nine\n  • inner\n\n  more\n2. second\n",
    );
    check(
        COLOR,
        "- a\n\nafter\n\n    code *x*",
        "• a\n\nafter\n\n{36mcode *x*{}\n",
    );
    check(COLOR, "- - -", "{2m────────────────────────────────────────{}\n");
    check(COLOR, "- **a:** b", "• {1ma:{} b\n");
}

#[test]
fn quotes_have_a_bar_before_each_line() {
    check(
        COLOR,
        "> The quick brown fox jumps over the lazy dog.\n>> deeper",
        "{2m│ {}The quick brown fox jumps over the\n{2m│ {}lazy dog.\n{2m│ │ {}deeper\n",
    );
    check(COLOR, "> ```\n> x\nafter", "{2m│ {}{2m```{}\n{2m│ {}{36mx{}\nafter\n");
}

#[test]
fn code_is_as_it_is() {
    check(
        COLOR,
        "```rust\nfn main() { println!(\"**{}**\", a); } // as long as it likes to be\n\n  # x\n```\n*end*",
        "{2m```rust{}\n{36mfn main() { println!(\"**{}**\", a); } // as long as it likes to be{}\n\n{36m  # x{}\n{2m```{}\n{3mend{}\n",
    );
    check(COLOR, "````\n```\n````", "{2m````{}\n{36m```{}\n{2m````{}\n");
    check(COLOR, "~~~\na\n~~~", "{2m~~~{}\n{36ma{}\n{2m~~~{}\n");
    check(
        COLOR,
        "1. x\n   ```\n   a\n     b\n   ```",
        "1. x\n   {2m```{}\n   {36ma{}\n   {36m  b{}\n   {2m```{}\n",
    );
    check(COLOR, "```\nnever closed", "{2m```{}\n{36mnever closed{}\n");
}

#[test]
fn tables_line_up_as_far_as_there_is_room() {
    check(
        PLAIN,
        "| a | number |\n|---|-------:|\n| x | 1 |\n| yy | 23 |\n\nafter",
        "a   number\n──  ──────\nx        1\nyy      23\n\nafter\n",
    );
    check(
        PLAIN,
        "| name | what it does |\n|---|---|\n| first | something that takes more room than there is |",
        "name   what it does\n─────  ─────────────────────────────────\nfirst  something that takes more room\n       than there is\n",
    );
    check(
        Look {
            width: 20,
            color: false,
        },
        "|name|kind|what|\n|-|-|-|\n|first one|a server|all of it|\n|second|an agent||",
        "name: first one\nkind: a server\nwhat: all of it\n\nname: second\nkind: an agent\nwhat:\n",
    );
    check(COLOR, "| *a* |\n|---|\n| `b\\|c` |", "{1;3ma{}\n{2m───{}\n{36mb|c{}\n");
    check(PLAIN, "| no table |", "| no table |\n");
}

#[test]
fn nothing_reaches_a_terminal_that_it_would_act_on() {
    for text in [
        "\u{1b}[2J",
        "a \u{1b}]0;title\u{7} b",
        "```\n\u{1b}[31m\n```",
        "&#27;[2J *&#x9b;*",
        "[a](&#27;[2J)",
        "| &#27;c |\n|---|\n| \u{1b}c |",
        "\u{202e}abc",
        "# \u{8}x",
        "`\u{1b}[1m`",
    ] {
        for look in [PLAIN, COLOR] {
            let out = in_pieces(text, look, 1);
            let left = out.split('\u{1b}').skip(1).filter(|rest| {
                let end = rest.find('m').unwrap_or(0);
                !rest.starts_with('[') || !rest[1..end].chars().all(|c| c.is_ascii_digit() || c == ';')
            });
            assert_eq!(left.count(), 0, "{text:?}: {out:?}");
            let acts = out.chars().filter(|c| guard::acts(*c) && *c != '\u{1b}').count();
            assert_eq!(acts, 0, "{text:?}: {out:?}");
            if look == PLAIN {
                assert!(!out.contains('\u{1b}'), "{text:?}: {out:?}");
            }
        }
    }
}

#[test]
fn words_go_out_as_soon_as_nothing_can_change_them() {
    let mut markdown = Markdown::new(COLOR);
    for (piece, expected) in [
        ("Hel", ""),
        ("lo ", "Hello"),
        ("wor", ""),
        ("ld, ", " world,"),
        ("**so ", ""),
        ("it ", ""),
        (
            "is** ",
            " \u{1b}[1mso\u{1b}[0m \u{1b}[1mit\u{1b}[0m \u{1b}[1mis\u{1b}[0m",
        ),
        ("done", ""),
        ("\n", " done\n"),
        ("```\n", "\u{1b}[2m```\u{1b}[0m\n"),
        ("code\n", "\u{1b}[36mcode\u{1b}[0m\n"),
    ] {
        assert_eq!(markdown.push(piece), expected, "{piece:?}");
    }
    assert_eq!(markdown.finish(), "");
    assert_eq!(markdown.push("again "), "again", "what comes then is another text");
}

#[test]
fn what_is_never_closed_is_not_held_for_ever() {
    let mut markdown = Markdown::new(COLOR);
    let text = format!("**{}", "word ".repeat(2000));
    assert!(markdown.push(&text).contains("**word"));
}
