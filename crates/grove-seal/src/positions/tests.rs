use super::{Language, Place, places};
use crate::Form;

/// The place of the only placeholder, as its description and the widest form it takes.
fn place(language: Language, text: &str) -> (&'static str, Option<Form>) {
    let found = places(text, language);
    let [(_, _, Place { what, most, .. })] = found.as_slice() else {
        panic!("{found:?}")
    };
    (*what, *most)
}

#[test]
fn python() {
    let most = |text| place(Language::Python, text).1;
    assert_eq!(most("A = \"@@X@@\"\n"), Some(Form::Quotable));
    assert_eq!(most("# it's\nA = 'a\\'@@X@@'\n"), Some(Form::Quotable));
    assert_eq!(most("A = \"\"\"a\n\"@@X@@\n\"\"\""), Some(Form::Lines));
    assert_eq!(most("A = rf'@@X@@'"), Some(Form::Line));
    assert_eq!(most("buff'@@X@@'"), Some(Form::Quotable));
    assert_eq!(most("A = @@X@@\n"), None);
    assert_eq!(most("A = \"\" + @@X@@"), None);
    assert_eq!(most("A = 1 # @@X@@"), Some(Form::Quotable));
    assert_eq!(
        most("A = \"redis://:@@X@@@redis:6379/0\""),
        Some(Form::Token)
    );
}

#[test]
fn yaml() {
    let most = |text| place(Language::Yaml, text).1;
    assert_eq!(most("a: \"@@X@@\"\n"), Some(Form::Quotable));
    assert_eq!(most("a: 'x@@X@@'\n"), Some(Form::Quotable));
    assert_eq!(most("a: @@X@@\n"), Some(Form::Word));
    assert_eq!(most("a: [b, @@X@@]\n"), Some(Form::Word));
    assert_eq!(most("a: b@@X@@\n"), Some(Form::Token));
    assert_eq!(most("a: redis://:@@X@@@h\n"), Some(Form::Token));
    assert_eq!(most("a: |\n  b\n  c @@X@@\nd: 1\n"), Some(Form::Line));
    assert_eq!(most("a: >-\n  @@X@@\n"), Some(Form::Line));
    assert_eq!(most("a: 1 # @@X@@\n"), Some(Form::Quotable));
    // Not YAML: judged line by line.
    assert_eq!(most("a: \"@@X@@\"\n b: ]"), Some(Form::Line));
}

#[test]
fn shell() {
    let most = |text| place(Language::Shell, text).1;
    assert_eq!(most("mysql -p\"@@X@@\""), Some(Form::Line));
    assert_eq!(most("mysql -e 'a @@X@@'"), Some(Form::Quotable));
    assert_eq!(most("mysql -p@@X@@"), Some(Form::Token));
    assert_eq!(most("a \"$(b @@X@@)\""), Some(Form::Token));
    assert_eq!(most("a \"$(b \"@@X@@\")\""), Some(Form::Line));
    assert_eq!(most("a \\\"@@X@@"), Some(Form::Token));
    assert_eq!(most("# it's\necho \"@@X@@\""), Some(Form::Line));
    assert_eq!(most("a=b#it's @@X@@"), Some(Form::Quotable));
    assert_eq!(most("cat <<EOF >x\nit's @@X@@\nEOF\n"), Some(Form::Line));
    assert_eq!(
        most("cat <<EOF\nit's\nEOF\necho '@@X@@'"),
        Some(Form::Quotable)
    );
}

#[test]
fn other_files() {
    assert_eq!(
        place(Language::Json, "{\"a\": \"@@X@@\"}").1,
        Some(Form::Quotable)
    );
    assert_eq!(place(Language::Json, "{\"a\": @@X@@}").1, None);
    assert_eq!(place(Language::Lines, "a = @@X@@\n").1, Some(Form::Token));
    assert_eq!(
        place(Language::Lines, "it's\na = '@@X@@'\n").1,
        Some(Form::Line)
    );
    assert_eq!(place(Language::Lines, "@@X@@\n").1, Some(Form::Text));
    assert_eq!(place(Language::None, "--key=@@X@@").1, Some(Form::Text));
    assert_eq!(
        place(Language::None, "redis://:@@X@@@h").1,
        Some(Form::Token)
    );
}
