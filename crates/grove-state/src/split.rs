//! One state becomes a state a stack.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, btree_map::Entry},
    fmt,
};

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer as _, Serialize,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use crate::{
    Address, Error, Module, ResourceAddress, Rules, STAYS, State,
    rules::{Captures, filled},
    state::{Fields, Instance, Mode, Resource},
};

/// The format of a [`Record`].
const VERSION: u32 = 1;

/// What is split although it would be refused.
#[derive(Clone, Copy, Debug, Default)]
pub struct Allow {
    /// Tainted and deposed objects, which the next apply replaces or destroys.
    pub unsettled: bool,
    /// Objects of one type and one id: some providers have them for different things.
    pub one_id: bool,
}

/// A state that was split.
#[derive(Debug)]
pub struct Split<'a> {
    /// The parts, by the names of their stacks.
    pub parts: Vec<Part<'a>>,
    /// What [`crate::join()`] needs to undo it.
    pub record: Record,
}

/// The state of one stack.
#[derive(Debug)]
pub struct Part<'a> {
    /// The stack's name.
    pub stack: String,
    /// Its state, with a lineage of its own.
    pub state: State<'a>,
}

/// What a split did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Record {
    /// The format, 1.
    pub version: u32,
    /// The lineage of the state that was split.
    pub lineage: String,
    /// Its serial.
    pub serial: u64,
    /// How many objects it had.
    pub objects: usize,
    /// Outputs that no rule claimed: they are in no part.
    pub outputs_left: Vec<String>,
    /// Every part.
    pub parts: Vec<PartRecord>,
}

/// What a split did for one stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PartRecord {
    /// The stack's name.
    pub stack: String,
    /// The lineage of its state.
    pub lineage: String,
    /// How many objects it has.
    pub objects: usize,
    /// `sha256:` and 64 digits, of the state's file; empty until it is written.
    pub sha256: String,
    /// Objects whose address or dependencies are others than before.
    pub moved: Vec<Moved>,
    /// What its objects depended on that is in other stacks now: inputs take their place.
    pub crossings: Vec<Crossing>,
}

/// An object whose address or dependencies are others than before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Moved {
    /// Its address now.
    pub to: String,
    /// Its mark, where it is deposed: it shares its address with the object that took its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deposed: Option<String>,
    /// Its address before, where that was another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Its dependencies before, where they were others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dependencies: Option<Vec<String>>,
}

/// A dependency that crosses from one stack to another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Crossing {
    /// What was depended on, in the state that was split.
    pub dependency: String,
    /// The stacks that have it now; none where the state had no object of it.
    pub stacks: Vec<String>,
}

/// Where an object goes.
struct Claim {
    stack: String,
    address: Address,
}

/// Gives every object of a state to the stack that the rules say.
pub fn split<'a>(mut state: State<'a>, rules: &Rules, allow: Allow) -> Result<Split<'a>, Error> {
    if !allow.unsettled {
        settled(&state)?;
    }
    if !allow.one_id {
        one_id(&state)?;
    }
    let claims = claims(&state, rules)?;
    let places = Places::new(&state, &claims);
    let objects = state.len();
    let mut stacks: BTreeMap<String, Claimed<'a>> = BTreeMap::new();
    let mut claims = claims.into_iter();
    for (index, resource) in state.resources.iter_mut().enumerate() {
        // Objects and claims go on from here: a large state is not there twice.
        let instances = std::mem::take(&mut resource.instances);
        for (instance, claim) in instances.into_iter().zip(&mut claims) {
            let claimed = stacks.entry(claim.stack).or_default();
            claimed.objects.push((index, instance, claim.address));
        }
    }
    drop(claims);
    let mut outputs_left = Vec::new();
    for output in &state.outputs {
        let stack = output_claim(&output.0, rules)?;
        match stack.and_then(|stack| stacks.get_mut(&stack)) {
            Some(claimed) => claimed.outputs.push(output.clone()),
            None => outputs_left.push(output.0.to_string()),
        }
    }
    let mut split = Split {
        parts: Vec::new(),
        record: Record {
            version: VERSION,
            lineage: state.lineage.to_string(),
            serial: state.serial,
            objects,
            outputs_left,
            parts: Vec::new(),
        },
    };
    let made: Vec<_> = stacks
        .into_par_iter()
        .map(|(stack, claimed)| claimed.part(&stack, &state, &places))
        .collect();
    for made in made {
        let (part, record) = made?;
        split.parts.push(part);
        split.record.parts.push(record);
    }
    Ok(split)
}

/// Refuses what the next apply would replace or destroy.
fn settled(state: &State<'_>) -> Result<(), Error> {
    let mut addresses = Vec::new();
    for resource in &state.resources {
        for instance in &resource.instances {
            let reason = match (instance.is_tainted, &instance.deposed) {
                (_, Some(deposed)) => format!("deposed {deposed}"),
                (true, None) => "tainted".to_owned(),
                (false, None) => continue,
            };
            addresses.push(format!("{} ({reason})", resource.address_of(instance)));
        }
    }
    if addresses.is_empty() {
        Ok(())
    } else {
        Err(Error::Unsettled { addresses })
    }
}

/// The `id` among attributes, where it is text. What stands behind it is not read.
fn id(attributes: &RawValue) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

    struct Search<'f, 'a>(&'f mut Option<Cow<'a, str>>);

    impl<'a> Visitor<'a> for Search<'_, 'a> {
        type Value = ();

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("attributes")
        }

        fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
            while let Some(Text(key)) = map.next_key()? {
                if key == "id" {
                    *self.0 = Some(map.next_value::<Text<'_>>()?.0);
                    break;
                }
                map.next_value::<IgnoredAny>()?;
            }
            Ok(())
        }
    }

    let mut found = None;
    let mut deserializer = serde_json::Deserializer::from_str(attributes.get());
    // A search that ended early is no whole map.
    let _ended = deserializer.deserialize_map(Search(&mut found));
    found
}

/// Refuses two objects of one type and one id: two stacks would own one thing.
fn one_id(state: &State<'_>) -> Result<(), Error> {
    let identified: Vec<_> = state
        .resources
        .par_iter()
        .filter(|resource| resource.mode == Mode::Managed)
        .flat_map_iter(|resource| {
            resource.instances.iter().filter_map(move |instance| {
                let id = id(instance.field("attributes")?)?;
                // What has no id of its own says so: passwords and other random values.
                (!id.is_empty() && id != "none").then_some((resource, instance, id))
            })
        })
        .collect();
    let mut seen: HashMap<_, (&Resource<'_>, &Instance<'_>)> = HashMap::new();
    for (resource, instance, id) in identified {
        let known = (&resource.kind, id.clone());
        if let Some((other, its)) = seen.insert(known, (resource, instance)) {
            return Err(Error::OneId {
                first: other.address_of(its).to_string(),
                second: resource.address_of(instance).to_string(),
                id: id.into_owned(),
            });
        }
    }
    Ok(())
}

/// The claims of all objects, in their order.
fn claims(state: &State<'_>, rules: &Rules) -> Result<Vec<Claim>, Error> {
    let objects: Vec<_> = state.objects().collect();
    let found: Vec<Option<Result<Claim, Box<Error>>>> = objects
        .par_iter()
        .map(|(resource, instance)| claim(&resource.address_of(instance), instance, rules))
        .map(|found| found.map_err(Box::new).transpose())
        .collect();
    let unclaimed = objects
        .iter()
        .zip(&found)
        .filter(|(_, found)| found.is_none());
    let addresses: Vec<_> = unclaimed
        .map(|((resource, instance), _)| resource.address_of(instance).to_string())
        .collect();
    let claims = found.into_iter().flatten().collect::<Result<_, _>>();
    match claims {
        Ok(_) if !addresses.is_empty() => Err(Error::Unclaimed { addresses }),
        claims => claims.map_err(|error| *error),
    }
}

fn claim(
    address: &Address,
    instance: &Instance<'_>,
    rules: &Rules,
) -> Result<Option<Claim>, Error> {
    for (index, rule) in rules.rules.iter().enumerate() {
        for pattern in &rule.patterns {
            let mut captures = Captures::new();
            if !pattern.fits(address, &rules.names, &mut captures)
                || !rule.attributes.iter().all(|(name, glob)| {
                    attribute(instance, name)
                        .is_some_and(|text| glob.fits(&text, &rules.names, &mut captures))
                })
            {
                continue;
            }
            let made = |text: &str, what| Error::Made {
                rule: index + 1,
                text: text.to_owned(),
                address: address.to_string(),
                what,
            };
            let stack = filled(&rule.to, &captures);
            if !is_stack(&stack) {
                return Err(made(&stack, "name of a stack"));
            }
            let address = match &rule.rename {
                None => address.clone(),
                Some(to) => {
                    let to = filled(to, &captures);
                    let renamed = pattern.rename(address, &to);
                    renamed.ok_or_else(|| made(&to, "address of the same sort"))?
                }
            };
            return Ok(Some(Claim { stack, address }));
        }
    }
    Ok(None)
}

fn output_claim(name: &str, rules: &Rules) -> Result<Option<String>, Error> {
    for (index, rule) in rules.rules.iter().enumerate() {
        let mut captures = Captures::new();
        let Some(glob) = &rule.output else { continue };
        if !glob.fits(name, &rules.names, &mut captures) {
            continue;
        }
        let stack = filled(&rule.to, &captures);
        if !is_stack(&stack) {
            return Err(Error::Made {
                rule: index + 1,
                text: stack,
                address: format!("output {name}"),
                what: "name of a stack",
            });
        }
        return Ok(Some(stack));
    }
    Ok(None)
}

/// An attribute of an object that is text.
fn attribute(instance: &Instance<'_>, name: &str) -> Option<String> {
    let attributes = instance.field("attributes")?;
    let all: BTreeMap<&str, &RawValue> = serde_json::from_str(attributes.get()).ok()?;
    serde_json::from_str(all.get(name)?.get()).ok()
}

/// Whether a text names a stack: parts of letters, digits, `_`, `.` and `-` between slashes. It becomes a
/// path. [`STAYS`] names none.
fn is_stack(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
    };
    text == STAYS || (text.len() <= 200 && text.split('/').all(is_part))
}

/// Where the objects of each resource that something depends on are, by the address that dependencies
/// name: its stacks, and its addresses there.
struct Places(HashMap<String, BTreeSet<(String, String)>>);

impl Places {
    fn new(state: &State<'_>, claims: &[Claim]) -> Self {
        let mut places: HashMap<String, BTreeSet<(String, String)>> = HashMap::new();
        for (_, instance) in state.objects() {
            for dependency in &instance.dependencies {
                if !places.contains_key(&**dependency) {
                    places.insert(dependency.to_string(), BTreeSet::new());
                }
            }
        }
        // Most resources have a name on which nothing depends.
        let names = places
            .keys()
            .filter_map(|address| address.rsplit('.').next());
        let names: HashSet<String> = names.map(str::to_owned).collect();
        let mut claims = claims.iter();
        for resource in &state.resources {
            let claims = claims.by_ref().take(resource.instances.len());
            let mut places = names
                .contains(&*resource.name)
                .then(|| resource.address().config().to_string())
                .and_then(|address| places.get_mut(&address));
            for claim in claims {
                if let Some(places) = &mut places {
                    let there = claim.address.resource.config().to_string();
                    places.insert((claim.stack.clone(), there));
                }
            }
        }
        Self(places)
    }

    /// The stacks that have a dependency, and its addresses there.
    fn of(&self, dependency: &str) -> impl Iterator<Item = (&str, &str)> {
        let places = self.0.get(dependency);
        places
            .into_iter()
            .flatten()
            .map(|(stack, address)| (stack.as_str(), address.as_str()))
    }
}

/// What one stack gets.
#[derive(Default)]
struct Claimed<'a> {
    /// Objects, each with the number of its resource in the state and its address from now on.
    objects: Vec<(usize, Instance<'a>, Address)>,
    outputs: Fields<'a>,
}

impl<'a> Claimed<'a> {
    fn part(
        self,
        stack: &str,
        source: &State<'a>,
        places: &Places,
    ) -> Result<(Part<'a>, PartRecord), Error> {
        let mut building = Building {
            moved: Vec::with_capacity(self.objects.len()),
            ..Building::default()
        };
        for (index, instance, address) in self.objects {
            building.add(&source.resources[index], instance, stack, address, places)?;
        }
        let (part, record) = building.finish(stack, self.outputs, source);
        match part.state.doubled() {
            Some(address) => Err(collision(&record, &address.to_string())),
            None => Ok((part, record)),
        }
    }
}

/// Two objects that would have one address.
fn collision(record: &PartRecord, address: &str) -> Error {
    let moved = record.moved.iter().filter(|moved| moved.to == address);
    let mut from: Vec<_> = moved
        .map(|moved| moved.from.clone().unwrap_or_else(|| address.to_owned()))
        .collect();
    // One of them may have been there.
    from.resize(2, address.to_owned());
    let [first, second] = [from.swap_remove(0), from.swap_remove(0)];
    Error::Collision {
        first,
        second,
        address: address.to_owned(),
        stack: record.stack.clone(),
    }
}

/// The state of one stack in the making.
#[derive(Default)]
struct Building<'a> {
    /// That of the last resource: the next one is in the same as a rule, and shares it.
    module: Module,
    resources: BTreeMap<ResourceAddress, Resource<'a>>,
    moved: Vec<Moved>,
    crossings: BTreeMap<String, BTreeSet<String>>,
}

impl<'a> Building<'a> {
    fn add(
        &mut self,
        resource: &Resource<'a>,
        mut instance: Instance<'a>,
        stack: &str,
        address: Address,
        places: &Places,
    ) -> Result<(), Error> {
        let from = resource.address_of(&instance);
        let mut dependencies = Vec::with_capacity(instance.dependencies.len());
        for dependency in &instance.dependencies {
            let here = places.of(dependency);
            let here = here.filter(|(there, _)| *there == stack);
            let before = dependencies.len();
            dependencies.extend(here.map(|(_, address)| address.to_owned()));
            if dependencies.len() == before {
                let stacks = places.of(dependency).map(|(stack, _)| stack.to_owned());
                let crossing = self.crossings.entry(dependency.to_string());
                crossing.or_default().extend(stacks);
            }
        }
        let is_same = dependencies == instance.dependencies;
        let mut before = None;
        if !is_same {
            let now = dependencies.into_iter().map(Cow::Owned).collect();
            let all = std::mem::replace(&mut instance.dependencies, now);
            before = Some(all.into_iter().map(Cow::into_owned).collect());
        }
        if from != address || !is_same {
            self.moved.push(Moved {
                to: address.to_string(),
                deposed: instance.deposed.as_ref().map(ToString::to_string),
                from: (from != address).then(|| from.to_string()),
                dependencies: before,
            });
        }
        let Address { resource: to, key } = address;
        instance.key = key;
        match self.resources.entry(to) {
            Entry::Occupied(mut known) => {
                // Two providers cannot be behind one resource.
                if !is_equal(&known.get().fields, &resource.fields) {
                    return Err(Error::Collision {
                        first: format!("{} of another provider", known.key()),
                        second: from.to_string(),
                        address: Address {
                            resource: known.key().clone(),
                            key: instance.key,
                        }
                        .to_string(),
                        stack: stack.to_owned(),
                    });
                }
                known.get_mut().instances.push(instance);
            }
            Entry::Vacant(new) => {
                let address = new.key().clone();
                if self.module != address.module {
                    self.module = address.module;
                }
                let kept = |new: String, old: &Cow<'a, str>| {
                    if new == *old {
                        old.clone()
                    } else {
                        Cow::Owned(new)
                    }
                };
                new.insert(Resource {
                    module: self.module.clone(),
                    mode: resource.mode,
                    kind: kept(address.kind, &resource.kind),
                    name: kept(address.name, &resource.name),
                    instances: vec![instance],
                    fields: resource.fields.clone(),
                });
            }
        }
        Ok(())
    }

    fn finish(
        self,
        stack: &str,
        outputs: Fields<'a>,
        source: &State<'a>,
    ) -> (Part<'a>, PartRecord) {
        let lineage = lineage(&source.lineage, stack);
        let mut state = State {
            terraform_version: source.terraform_version.clone(),
            serial: 1,
            lineage: Cow::Owned(lineage.clone()),
            outputs,
            resources: self.resources.into_values().collect(),
            fields: source.fields.clone(),
        };
        state.sort();
        let crossings = self
            .crossings
            .into_iter()
            .map(|(dependency, stacks)| Crossing {
                dependency,
                stacks: stacks.into_iter().collect(),
            });
        let record = PartRecord {
            stack: stack.to_owned(),
            lineage,
            objects: state.len(),
            sha256: String::new(),
            moved: self.moved,
            crossings: crossings.collect(),
        };
        let part = Part {
            stack: stack.to_owned(),
            state,
        };
        (part, record)
    }
}

fn is_equal(a: &Fields<'_>, b: &Fields<'_>) -> bool {
    a.len() == b.len()
        && a.iter()
            .zip(b)
            .all(|(a, b)| a.0 == b.0 && a.1.get() == b.1.get())
}

/// The lineage of a part: the same for the same state and stack, so that a split that is done again is
/// the same, and another one than any other stack's. In the form of a UUID (RFC 9562, version 8).
fn lineage(source: &str, stack: &str) -> String {
    let hash = Sha256::digest(format!("grove state split\0{source}\0{stack}"));
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&hash[..16]);
    bytes[6] = (bytes[6] & 0x0f) | 0x80;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let number = u128::from_be_bytes(bytes);
    let digits = format!("{number:032x}");
    [
        &digits[..8],
        &digits[8..12],
        &digits[12..16],
        &digits[16..20],
        &digits[20..],
    ]
    .join("-")
}

#[cfg(test)]
mod tests;
