//! That a request is carried out once.
//!
//! Whatever a writing verb writes to, a request with a name is kept in the cache once it was carried out, with
//! what came of it. The same again gives that and does nothing; another one of the same name is refused. Of what
//! is written to deploy branches, these say as much, on every machine; the record here is of what changed nothing
//! there, and of all other verbs.

mod lock;
mod record;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use self::{
    lock::Lock,
    record::{Place, Progress},
};
use crate::{
    Around, Error, Result,
    consent::{Consent, Needs},
    request::RequestId,
};

/// What a verb gives, as it is kept.
pub(crate) trait Answer: Clone + Serialize + DeserializeOwned {
    /// Whether all of it was done. A request of which a part failed goes on when it comes again.
    fn is_whole(&self) -> bool {
        true
    }

    /// What it says to people and leaves out of its JSON.
    fn beside(&self) -> Value {
        Value::Null
    }

    /// Takes that over again.
    fn take(&mut self, _beside: Value) {}
}

/// Of a request that is over, and of which nothing else is said.
impl Answer for () {}

/// Of what a program did: whether it ended well.
impl Answer for bool {
    fn is_whole(&self) -> bool {
        *self
    }
}

/// An outcome as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept<O> {
    outcome: O,
    #[serde(default, skip_serializing_if = "Value::is_null")]
    beside: Value,
}

impl<O: Answer> Kept<O> {
    fn of(outcome: &O) -> serde_json::Result<Value> {
        serde_json::to_value(Kept {
            outcome,
            beside: outcome.beside(),
        })
    }

    fn outcome(self) -> O {
        let mut outcome = self.outcome;
        outcome.take(self.beside);
        outcome
    }
}

/// What was there when a request began that may have been interrupted since: by that its repeat knows what it
/// did. None of a request that did not begin, or has no name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Begun(Option<Value>);

impl Begun {
    /// What was noted then.
    pub(crate) fn ground<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_value(self.0.clone()?).ok()
    }
}

/// A request that is being carried out.
pub(crate) struct Journal<'p>(Option<&'p Place>);

impl Journal<'_> {
    /// Notes what is there before the first thing is written. A request that cannot be noted is carried out all the
    /// same.
    pub(crate) fn begin(&self, ground: &impl Serialize) {
        if let (Some(place), Ok(ground)) = (self.0, serde_json::to_value(ground)) {
            place.keep(Progress::Begun(ground));
        }
    }
}

/// What a plan is: work that is to be done, or what came of it before.
#[derive(Debug)]
enum State<W, O> {
    Open(W),
    Done(O),
}

/// The plan `W` of a request, which is carried out once and gives an `O`.
#[derive(Debug)]
pub(crate) struct Once<'a, W, O> {
    around: &'a Around,
    /// None where the request has no name, or nothing is kept.
    place: Option<Place>,
    begun: Begun,
    state: State<W, O>,
    nothing: Needs,
}

impl<'a, W, O: Answer> Once<'a, W, O> {
    /// Plans a request, unless it was carried out before. `verb` is its place in this crate, such as
    /// `secrets/rotate`; `request` is all that whoever asks says.
    pub(crate) fn plan(
        around: &'a Around,
        verb: &'static str,
        id: Option<&RequestId>,
        request: &impl Serialize,
        work: impl Fn(&Begun) -> Result<W>,
    ) -> Result<Self> {
        let _entered = around.enter()?;
        let place = Place::of(around, verb, id, request);
        let known = || match &place {
            Some(place) => look(place),
            None => Ok((Begun::default(), None)),
        };
        let (mut begun, mut first) = known()?;
        let state = loop {
            if let Some(first) = first {
                break State::Done(first);
            }
            match work(&begun) {
                Ok(work) => break State::Open(work),
                Err(error) => {
                    // Somebody else may be carrying it out: what they wrote is then in the way of what was read.
                    let now = known()?;
                    if now.1.is_none() && now.0 == begun {
                        return Err(error);
                    }
                    (begun, first) = now;
                }
            }
        };
        Ok(Self {
            around,
            place,
            begun,
            state,
            nothing: Needs::default(),
        })
    }

    /// What must be agreed to: nothing where it was carried out before.
    pub(crate) fn needs<'s>(&'s self, needs: impl FnOnce(&'s W) -> &'s Needs) -> &'s Needs {
        match &self.state {
            State::Open(work) => needs(work),
            State::Done(_) => &self.nothing,
        }
    }

    /// What is to be done; none where it was done before.
    pub(crate) fn open(&self) -> Option<&W> {
        match &self.state {
            State::Open(work) => Some(work),
            State::Done(_) => None,
        }
    }

    /// What would come of it, or came of it before.
    pub(crate) fn outcome(&self, preview: impl FnOnce(&W) -> O) -> O {
        match &self.state {
            State::Open(work) => preview(work),
            State::Done(first) => first.clone(),
        }
    }

    /// The same, where the plan has it.
    pub(crate) fn shown<'s>(&'s self, preview: impl FnOnce(&'s W) -> &'s O) -> &'s O {
        match &self.state {
            State::Open(work) => preview(work),
            State::Done(first) => first,
        }
    }

    /// Carries it out, unless somebody did meanwhile: one at a time, others of the same name wait.
    pub(crate) fn carry_out(
        self,
        consent: &Consent,
        carry_out: impl FnOnce(W, &Consent, &Journal<'_>) -> Result<O>,
    ) -> Result<O> {
        let _entered = self.around.enter()?;
        let work = match self.state {
            State::Done(first) => return Ok(first),
            State::Open(work) => work,
        };
        let Some(place) = self.place else {
            return carry_out(work, consent, &Journal(None));
        };
        let Some(_lock) = Lock::take(self.around, &place)? else {
            return carry_out(work, consent, &Journal(None));
        };
        let (begun, first) = look(&place)?;
        if let Some(first) = first {
            return Ok(first);
        }
        if begun != self.begun {
            return Err(Error::refused(format!(
                "the request `{}` was begun by somebody else since it was planned, and interrupted",
                place.id
            ))
            .hint("ask again: it goes on from there"));
        }
        let outcome = carry_out(work, consent, &Journal(Some(&place)))?;
        if outcome.is_whole() {
            keep(&place, &outcome);
        }
        Ok(outcome)
    }
}

/// A request that is carried out in steps by whoever asks: nobody else carries it out meanwhile.
#[derive(Debug)]
pub(crate) struct Stepwise(Option<(Place, Lock)>);

impl Stepwise {
    /// Begins a request, or gives what came of it before. Each step looks first and then does, so that one that was
    /// interrupted begins again.
    pub(crate) fn begin<O: Answer>(
        around: &Around,
        verb: &'static str,
        id: Option<&RequestId>,
        request: &impl Serialize,
    ) -> Result<(Self, Option<O>)> {
        let (mut begun, mut first) = (Self(None), None);
        if let Some(place) = Place::of(around, verb, id, request)
            && let Some(lock) = Lock::take(around, &place)?
        {
            first = look(&place)?.1;
            begun.0 = Some((place, lock));
        }
        Ok((begun, first))
    }

    /// Keeps what came of it.
    pub(crate) fn end<O: Answer>(&self, outcome: &O) {
        if let Some((place, _)) = &self.0
            && outcome.is_whole()
        {
            keep(place, outcome);
        }
    }
}

/// Carries out what has no plan once.
pub(crate) fn once<O: Answer>(
    around: &Around,
    verb: &'static str,
    id: Option<&RequestId>,
    request: &impl Serialize,
    carry_out: impl FnOnce() -> Result<O>,
) -> Result<O> {
    let (request, first) = Stepwise::begin(around, verb, id, request)?;
    if let Some(first) = first {
        return Ok(first);
    }
    let outcome = carry_out()?;
    request.end(&outcome);
    Ok(outcome)
}

/// Keeps what came of a request.
fn keep<O: Answer>(place: &Place, outcome: &O) {
    match Kept::of(outcome) {
        Ok(kept) => place.keep(Progress::Done(kept)),
        Err(error) => place.not_kept(&error),
    }
}

/// What is known of a request: what was noted when it began, or what came of it.
fn look<O: Answer>(place: &Place) -> Result<(Begun, Option<O>)> {
    match place.look()? {
        None => Ok((Begun::default(), None)),
        Some(Progress::Begun(ground)) => Ok((Begun(Some(ground)), None)),
        Some(Progress::Done(outcome)) => match serde_json::from_value::<Kept<O>>(outcome) {
            Ok(first) => Ok((Begun::default(), Some(first.outcome()))),
            Err(_) => Err(Error::refused(format!(
                "the request `{}` was carried out by another version of Grove, whose outcome is not understood",
                place.id
            ))
            .hint("nothing was done; give a new request a name of its own")),
        },
    }
}

/// Whether something is kept of a request of this name.
pub(crate) fn is_known(around: &Around, id: &RequestId) -> bool {
    record::is_known(around, id)
}
