//! What the parser and the tables of keys found, as findings of the rules that speak for it.

use grove_fleet::{
    documents::Document,
    shape::{FileKind, Misfit, MisfitKind, misfits},
};
use grove_yaml::ProblemKind;
use rayon::prelude::*;

use crate::{
    findings::{Findings, Place},
    view::View,
};

/// Reports the parser's problems of one kind.
pub(crate) fn report(
    view: &View<'_>,
    findings: &mut Findings<'_>,
    kind: ProblemKind,
    hint: Option<&str>,
) {
    for document in view.documents {
        let path = document.real.as_str();
        for problem in document
            .problems
            .iter()
            .filter(|problem| problem.kind == kind)
        {
            let here = Place::bytes(path, problem.span);
            let other = problem
                .related
                .map(|span| Place::bytes(path, span).label("first here"));
            let places = std::iter::once(here).chain(other);
            match hint {
                Some(hint) => findings.add_with_hint(problem.message.as_str(), places, hint),
                None => findings.add(problem.message.as_str(), places),
            }
        }
    }
}

/// Everything in the fleet's files that does not fit the tables, with its file.
pub(crate) fn all_misfits<'a>(documents: &[&'a Document]) -> Vec<(&'a str, Misfit)> {
    documents
        .par_iter()
        .flat_map_iter(|document| {
            let found = match (FileKind::of(&document.kind), &document.root) {
                (Some(table), Some(root)) => misfits(table, root),
                _ => Vec::new(),
            };
            found
                .into_iter()
                .map(|misfit| (document.real.as_str(), misfit))
        })
        .collect()
}

/// Reports what does not fit the tables, of one kind.
pub(crate) fn report_misfits(view: &View<'_>, findings: &mut Findings<'_>, kind: MisfitKind) {
    for (path, misfit) in view
        .misfits
        .iter()
        .filter(|(_, misfit)| misfit.kind == kind)
    {
        // A file that could not be read to its end may have what seems to be missing.
        if kind == MisfitKind::MissingKey && view.has_problems(path) {
            continue;
        }
        let place = [Place::bytes(*path, misfit.span)];
        match &misfit.hint {
            Some(hint) => findings.add_with_hint(misfit.message.as_str(), place, hint.as_str()),
            None => findings.add(misfit.message.as_str(), place),
        }
    }
}
