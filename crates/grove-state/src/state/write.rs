//! To text.

use serde_json::value::RawValue;

use super::{Fields, Instance, Mode, Resource, State};
use crate::Key;

pub(super) fn state(state: &State<'_>, into: &mut String) {
    let mut writer = Writer(into);
    writer.object(|object| {
        object.raw("version", "4");
        object.text("terraform_version", &state.terraform_version);
        object.raw("serial", &state.serial.to_string());
        object.text("lineage", &state.lineage);
        object.key("outputs");
        object
            .writer
            .object(|outputs| outputs.fields(&state.outputs));
        object.key("resources");
        object.writer.list(&state.resources, resource);
        object.fields(&state.fields);
        object.raw("check_results", "null");
    });
    into.push('\n');
}

fn resource(writer: &mut Writer<'_>, resource: &Resource<'_>) {
    writer.object(|object| {
        if !resource.module.0.is_empty() {
            object.text("module", &resource.module.to_string());
        }
        let mode = match resource.mode {
            Mode::Managed => "managed",
            Mode::Data => "data",
        };
        object.text("mode", mode);
        object.text("type", &resource.kind);
        object.text("name", &resource.name);
        object.fields(&resource.fields);
        object.key("instances");
        object.writer.list(&resource.instances, instance);
    });
}

fn instance(writer: &mut Writer<'_>, instance: &Instance<'_>) {
    writer.object(|object| {
        match &instance.key {
            None => {}
            Some(Key::Number(number)) => object.raw("index_key", &number.to_string()),
            Some(Key::Text(text)) => object.text("index_key", text),
        }
        if instance.is_tainted {
            object.text("status", "tainted");
        }
        if let Some(deposed) = &instance.deposed {
            object.text("deposed", deposed);
        }
        object.fields(&instance.fields);
        if !instance.dependencies.is_empty() {
            object.key("dependencies");
            let all = &instance.dependencies;
            object.writer.list(all, |writer, text| writer.text(text));
        }
    });
}

/// JSON without a blank that means nothing.
struct Writer<'a>(&'a mut String);

impl<'a> Writer<'a> {
    fn object(&mut self, write: impl FnOnce(&mut Object<'_, 'a>)) {
        self.0.push('{');
        write(&mut Object {
            writer: self,
            is_first: true,
        });
        self.0.push('}');
    }

    fn list<T>(&mut self, all: &[T], write: impl Fn(&mut Self, &T)) {
        self.0.push('[');
        for (index, one) in all.iter().enumerate() {
            if index > 0 {
                self.0.push(',');
            }
            write(self, one);
        }
        self.0.push(']');
    }

    fn text(&mut self, text: &str) {
        // Text is always JSON.
        *self.0 += &serde_json::to_string(text).unwrap_or_default();
    }
}

struct Object<'w, 'a> {
    writer: &'w mut Writer<'a>,
    is_first: bool,
}

impl Object<'_, '_> {
    fn key(&mut self, key: &str) {
        if !std::mem::replace(&mut self.is_first, false) {
            self.writer.0.push(',');
        }
        self.writer.text(key);
        self.writer.0.push(':');
    }

    fn text(&mut self, key: &str, text: &str) {
        self.key(key);
        self.writer.text(text);
    }

    fn raw(&mut self, key: &str, raw: &str) {
        self.key(key);
        self.writer.0.push_str(raw);
    }

    fn fields(&mut self, fields: &Fields<'_>) {
        for (key, value) in fields {
            self.key(key);
            compact(value, self.writer.0);
        }
    }
}

/// Adds a value without the blanks between its parts: Terraform indents its files, OpenTofu does not.
fn compact(value: &RawValue, into: &mut String) {
    let mut rest = value.get();
    loop {
        // To the next quote, without blanks …
        let (before, quoted) = rest
            .split_once('"')
            .map_or((rest, None), |(a, b)| (a, Some(b)));
        if before.contains(|c: char| c.is_ascii_whitespace()) {
            into.extend(before.split_ascii_whitespace());
        } else {
            into.push_str(before);
        }
        let Some(quoted) = quoted else { return };
        // … and to the quote that ends the text, as it stands.
        let mut end = 0;
        let bytes = quoted.as_bytes();
        while let Some(byte) = bytes.get(end) {
            match byte {
                b'"' => break,
                b'\\' => end += 2,
                _ => end += 1,
            }
        }
        into.push('"');
        into.push_str(quoted.get(..end).unwrap_or(quoted));
        into.push('"');
        rest = quoted.get(end + 1..).unwrap_or_default();
    }
}
