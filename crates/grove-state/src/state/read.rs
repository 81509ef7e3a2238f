//! From text.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{Fields, Instance, Mode, Resource, State};
use crate::{Error, Key, Module};

/// The version that this program reads.
const VERSION: u64 = 4;

pub(super) fn state(text: &str) -> Result<State<'_>, Error> {
    let file: File<'_> = serde_json::from_str(text).map_err(|error| Error::NotAState {
        message: error.to_string(),
    })?;
    if file.is_encrypted {
        return Err(Error::Encrypted);
    }
    match file.version {
        Some(VERSION) => {}
        Some(found) => return Err(Error::Version { found }),
        None => {
            return Err(Error::NotAState {
                message: "it has no version".to_owned(),
            });
        }
    }
    let state = file.state;
    if state.lineage.is_empty() {
        return Err(Error::NotAState {
            message: "it has no lineage".to_owned(),
        });
    }
    let mut objects: Vec<_> = state.objects().collect();
    // A file is in order as a rule, and then this is one pass.
    objects.sort_unstable_by(|one, other| place(one).cmp(&place(other)));
    let twice = objects
        .windows(2)
        .find(|pair| place(&pair[0]) == place(&pair[1]));
    if let Some(pair) = twice {
        let (resource, instance) = pair[0];
        return Err(Error::Twice {
            address: resource.address_of(instance).to_string(),
        });
    }
    drop(objects);
    Ok(state)
}

/// What only one object of a state has.
fn place<'a>((resource, instance): &(&'a Resource<'_>, &'a Instance<'_>)) -> impl Ord + use<'a> {
    let Resource {
        module,
        mode,
        kind,
        name,
        ..
    } = resource;
    (
        module,
        mode,
        &**kind,
        &**name,
        &instance.key,
        instance.deposed.as_deref(),
    )
}

/// A file, before it is known to be a state that can be read.
struct File<'a> {
    version: Option<u64>,
    is_encrypted: bool,
    state: State<'a>,
}

/// Text that is borrowed where it has no escape.
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Of;
        impl<'de> Visitor<'de> for Of {
            type Value = Cow<'de, str>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("text")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Cow::Borrowed(text))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Cow::Owned(text.to_owned()))
            }
        }
        deserializer.deserialize_str(Of).map(Text)
    }
}

/// What is made of a JSON object, key by key.
trait Object<'de>: Sized {
    const WHAT: &'static str;
    fn new() -> Self;
    /// Takes a value.
    fn take<A: MapAccess<'de>>(&mut self, key: Cow<'de, str>, map: &mut A) -> Result<(), A::Error>;
    /// Gives room back that it does not need, of thousands of its kind, and says what is wrong with the
    /// whole.
    fn finish(&mut self) -> Result<(), &'static str> {
        Ok(())
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Object<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(T::WHAT)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let mut object = T::new();
        while let Some(Text(key)) = map.next_key()? {
            object.take(key, &mut map)?;
        }
        object.finish().map_err(A::Error::custom)?;
        Ok(object)
    }
}

macro_rules! object {
    ($type:ident) => {
        impl<'de: 'a, 'a> Deserialize<'de> for $type<'a> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_map(ObjectVisitor(PhantomData))
            }
        }
    };
}
object!(File);
object!(Resource);
object!(Instance);

impl<'a> Object<'a> for File<'a> {
    const WHAT: &'static str = "a state file";

    fn new() -> Self {
        Self {
            version: None,
            is_encrypted: false,
            state: State {
                terraform_version: Cow::default(),
                serial: 0,
                lineage: Cow::default(),
                outputs: Vec::new(),
                resources: Vec::new(),
                fields: Vec::new(),
            },
        }
    }

    fn take<A: MapAccess<'a>>(&mut self, key: Cow<'a, str>, map: &mut A) -> Result<(), A::Error> {
        let state = &mut self.state;
        match &*key {
            "version" => self.version = Some(map.next_value()?),
            "encrypted_data" => {
                self.is_encrypted = true;
                map.next_value::<serde::de::IgnoredAny>()?;
            }
            "terraform_version" => state.terraform_version = map.next_value::<Text<'a>>()?.0,
            "serial" => state.serial = map.next_value()?,
            "lineage" => state.lineage = map.next_value::<Text<'a>>()?.0,
            "outputs" => state.outputs = map.next_value::<Option<Raw<'a>>>()?.unwrap_or_default().0,
            "resources" => {
                state.resources = map
                    .next_value::<Option<Resources<'a>>>()?
                    .unwrap_or_default()
                    .0;
            }
            "check_results" => drop(map.next_value::<serde::de::IgnoredAny>()?),
            _ => state.fields.push((key, map.next_value()?)),
        }
        Ok(())
    }
}

/// Resources; those of one module, which stand together, share its path.
#[derive(Default)]
struct Resources<'a>(Vec<Resource<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Resources<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Of;
        impl<'de> Visitor<'de> for Of {
            type Value = Vec<Resource<'de>>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list of resources")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut resources: Vec<Resource<'de>> = Vec::new();
                while let Some(mut resource) = list.next_element::<Resource<'de>>()? {
                    if let Some(before) = resources.last()
                        && before.module == resource.module
                    {
                        resource.module = before.module.clone();
                    }
                    resources.push(resource);
                }
                resources.shrink_to_fit();
                Ok(resources)
            }
        }
        deserializer.deserialize_seq(Of).map(Resources)
    }
}

/// An object whose values are carried along.
#[derive(Default)]
struct Raw<'a>(Fields<'a>);
object!(Raw);

impl<'a> Object<'a> for Raw<'a> {
    const WHAT: &'static str = "an object";

    fn new() -> Self {
        Self::default()
    }

    fn take<A: MapAccess<'a>>(&mut self, key: Cow<'a, str>, map: &mut A) -> Result<(), A::Error> {
        self.0.push((key, map.next_value()?));
        Ok(())
    }
}

impl<'a> Object<'a> for Resource<'a> {
    const WHAT: &'static str = "a resource";

    fn new() -> Self {
        Self {
            module: Module::default(),
            mode: Mode::Managed,
            kind: Cow::default(),
            name: Cow::default(),
            instances: Vec::new(),
            fields: Vec::new(),
        }
    }

    fn take<A: MapAccess<'a>>(&mut self, key: Cow<'a, str>, map: &mut A) -> Result<(), A::Error> {
        match &*key {
            "module" => {
                let text = map.next_value::<Text<'a>>()?.0;
                self.module = Module::parse(&text)
                    .ok_or_else(|| A::Error::custom(format!("`{text}` is no module's address")))?;
            }
            "mode" => {
                self.mode = match &*map.next_value::<Text<'a>>()?.0 {
                    "managed" => Mode::Managed,
                    "data" => Mode::Data,
                    other => return Err(A::Error::custom(format!("`{other}` is no known mode"))),
                };
            }
            "type" => self.kind = map.next_value::<Text<'a>>()?.0,
            "name" => self.name = map.next_value::<Text<'a>>()?.0,
            "instances" => self.instances = map.next_value::<Option<_>>()?.unwrap_or_default(),
            _ => self.fields.push((key, map.next_value()?)),
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), &'static str> {
        self.instances.shrink_to_fit();
        self.fields.shrink_to_fit();
        if self.kind.is_empty() || self.name.is_empty() {
            return Err("a resource has no type or no name");
        }
        Ok(())
    }
}

impl<'a> Object<'a> for Instance<'a> {
    const WHAT: &'static str = "an object of a resource";

    fn new() -> Self {
        Self {
            key: None,
            is_tainted: false,
            deposed: None,
            dependencies: Vec::new(),
            fields: Vec::new(),
        }
    }

    fn take<A: MapAccess<'a>>(&mut self, key: Cow<'a, str>, map: &mut A) -> Result<(), A::Error> {
        match &*key {
            "index_key" => self.key = index(map.next_value()?).map_err(A::Error::custom)?,
            "status" => match map.next_value::<Option<Text<'a>>>()? {
                None => {}
                Some(Text(status)) if status == "tainted" => self.is_tainted = true,
                Some(Text(other)) => {
                    return Err(A::Error::custom(format!("`{other}` is no known status")));
                }
            },
            "deposed" => self.deposed = map.next_value::<Option<Text<'a>>>()?.map(|text| text.0),
            "dependencies" => {
                let all = map
                    .next_value::<Option<Vec<Text<'a>>>>()?
                    .unwrap_or_default();
                self.dependencies = all.into_iter().map(|text| text.0).collect();
            }
            _ => self.fields.push((key, map.next_value()?)),
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), &'static str> {
        self.dependencies.shrink_to_fit();
        self.fields.shrink_to_fit();
        Ok(())
    }
}

/// A key: a whole number or text.
fn index(raw: &RawValue) -> Result<Option<Key>, String> {
    let text = raw.get();
    if text == "null" {
        return Ok(None);
    }
    if text.starts_with('"') {
        let text = serde_json::from_str(text).map_err(|error| error.to_string())?;
        return Ok(Some(Key::Text(text)));
    }
    match text.parse() {
        Ok(number) => Ok(Some(Key::Number(number))),
        Err(_) => Err(format!("`{text}` is no key of an object")),
    }
}
