//! `grove state split`.

use std::{collections::BTreeSet, fmt::Write as _, path::PathBuf};

use grove_operations::{
    state::{
        rules::Names,
        split::{self, From, Places},
        verify as plans,
    },
    text::count,
};
use grove_state::{Record, STAYS};

use super::{around, source, verify};
use crate::{
    error::{Error, Exit, Result},
    global::Global,
    output::{Output, is_json},
    terminal,
};

/// Give every object of a combined state to a stack of its own.
///
/// Rules say which object belongs to which stack; what no rule claims stops the split, and then nothing
/// is written. Each part is `DIR/<stack>/terraform.tfstate`, with a lineage of its own, and `split.json`
/// says what came from where: `grove state join` undoes it. The state that is read stays as it is.
#[derive(Debug, clap::Args)]
#[command(after_help = "Rules, of which the first that fits an object counts:\n\
    \x20         version: 1\n\
    \x20         rules:\n\
    \x20         - match: module.instances[\"{instance}\"]   # a module and all in it; `*` is any text\n\
    \x20           to: instances/{instance}                # the stack\n\
    \x20           as: module.instance                     # its address there; `.` is the root module\n\
    \x20         - match: module.mysql.mysql_user.users[\"{instance}\"]\n\
    \x20           to: instances/{instance}\n\
    \x20           as: mysql_user.user\n\
    \x20         - match: module.*\n\
    \x20           to: cluster\n\
    \x20         - match: aws_s3_bucket.state\n\
    \x20           to: .                                   # it stays where it is\n\
    \x20         - output: \"*\"                             # outputs of the root module\n\
    \x20           to: cluster\n\n\
    `where: {attributes: {name: text}}` asks for attributes; `names: {instance: [a, b]}` beside\n\
    `rules` says what a name may stand for.\n\n\
    Examples:\n\
    \x20 grove state split --from combined.tfstate --map rules.yaml --out parts\n\
    \x20 grove state split --root combined --map rules.yaml --out parts --stacks stacks --verify\n\
    \x20 grove state split --from - --map legacy-grove --name instance=uni,academy --out parts")]
pub(super) struct Arguments {
    /// The state's file; `-` for stdin.
    #[arg(long, value_name = "FILE", required_unless_present = "root")]
    from: Option<PathBuf>,
    /// The root module whose back end holds the state: it is read there, under the back end's own lock.
    #[arg(long, value_name = "DIR", conflicts_with = "from")]
    root: Option<PathBuf>,
    /// The rules' file, or `legacy-grove` for the rules that Grove carries.
    #[arg(long, value_name = "FILE")]
    map: PathBuf,
    /// What a `{name}` of the rules may stand for; can be given several times.
    #[arg(long = "name", value_name = "NAME=TEXT,…")]
    names: Vec<String>,
    /// Where the parts go: a directory that is not there yet.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// A directory with a root module for each stack, to be copied beside its state.
    #[arg(long, value_name = "DIR")]
    stacks: Option<PathBuf>,
    /// The old root module: each part gets the module calls and resources that its objects are of, as
    /// they are written there, with variables for what other parts have, and the values of these.
    #[arg(long, value_name = "DIR", conflicts_with = "stacks")]
    config: Option<PathBuf>,
    /// Plan each part, and demand that nothing would change, as `grove state verify` does.
    #[arg(long)]
    verify: bool,
    /// The program that reads the back end and plans; default: `tofu`, else `terraform`.
    #[arg(long, value_name = "PROGRAM")]
    program: Option<PathBuf>,
    /// Move tainted and deposed objects too, as they are.
    #[arg(long)]
    unsettled: bool,
    /// Allow several objects of one type and one id.
    #[arg(long)]
    one_id: bool,
}

pub(super) fn run(arguments: &Arguments, global: &Global, output: &Output) -> Result {
    if arguments.verify && arguments.stacks.is_none() && arguments.config.is_none() {
        return Err(
            Error::usage("`--verify` needs the configuration of each part")
                .hint("say `--stacks DIR`, or `--config DIR` to take it from the old root"),
        );
    }
    let from = match (&arguments.from, &arguments.root) {
        (Some(file), _) => From::Text(source(file)?),
        (None, Some(directory)) => From::Root(directory),
        (None, None) => return Err(Error::usage("say `--from FILE` or `--root DIR`")),
    };
    let around = around(arguments.program.as_ref(), global, output)?;
    let request = split::Request {
        id: global.request_id(),
        names: names(&arguments.names)?,
        unsettled: arguments.unsettled,
        one_id: arguments.one_id,
    };
    let places = Places {
        from,
        map: &arguments.map,
        out: &arguments.out,
        stacks: arguments.stacks.as_deref(),
        config: arguments.config.as_deref(),
    };
    let plan = split::plan(&around, &request, &places)?;
    let consent = terminal::consent(plan.needs(), output)?;
    let record = plan.carry_out(&consent)?;
    if !is_json(output) {
        output.print(&report(&record))?;
    } else if !arguments.verify {
        output.json(&record)?;
    }
    if arguments.verify {
        let request = plans::Request::default();
        return verify::show(&plans::read(&around, &request, &arguments.out)?, output);
    }
    Ok(Exit::Done)
}

/// What names may stand for.
fn names(stated: &[String]) -> Result<Names> {
    let mut names = Names::new();
    for text in stated {
        let (name, texts) = text
            .split_once('=')
            .ok_or_else(|| Error::usage(format!("`{text}` is not `NAME=TEXT,…`")))?;
        let texts = texts.split(',').filter(|text| !text.is_empty());
        let known = names.entry(name.to_owned()).or_default();
        known.extend(texts.map(str::to_owned));
    }
    Ok(names)
}

fn report(record: &Record) -> String {
    let width = record
        .parts
        .iter()
        .map(|part| part.stack.len())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for part in &record.parts {
        let mut line = format!("{:<width$}  {}", part.stack, count(part.objects, "object"));
        let needs: BTreeSet<&String> = part
            .crossings
            .iter()
            .flat_map(|crossing| &crossing.stacks)
            .collect();
        if part.stack == STAYS {
            line += ", which stay in the combined state";
        }
        if !needs.is_empty() {
            let needs: Vec<&str> = needs.into_iter().map(String::as_str).collect();
            line = format!("{line}, needs inputs from {}", needs.join(", "));
        }
        text.push_str(&line);
        text.push('\n');
    }
    let all: usize = record.parts.iter().map(|part| part.objects).sum();
    let _written = writeln!(
        text,
        "{all} of {} in {}",
        count(record.objects, "object"),
        count(record.parts.len(), "part")
    );
    if !record.outputs_left.is_empty() {
        let _written = writeln!(
            text,
            "outputs that no rule claims, in no part: {}",
            record.outputs_left.join(", ")
        );
    }
    text
}
