//! The passes, in the order in which they run.
//!
//! Each pass does one thing to the objects that Tutor and Kustomize made, and says what: [`Pass`]
//! carries the reason and every place that it may change. A test holds each pass to that list, so
//! whatever differs from plain Tutor is named here.
#![allow(
    clippy::unnecessary_wraps,
    reason = "every pass has one type, and not each can fail"
)]

mod autoscalers;
mod autoscaling;
mod certificates;
mod cron;
mod data;
mod development;
mod disruption;
mod domains;
mod draft;
mod error_pages;
mod flags;
mod hosts;
mod images;
mod ingress;
mod isolation;
mod job_settings;
mod jobs;
mod labels;
mod maintenance;
mod marks;
mod namespace;
mod pass;
mod project;
mod protect;
mod pull_secret;
mod quota;
mod resources;
mod services;
mod sites;
mod stopped;
mod suffixes;
mod version;
mod waves;
mod workers;

pub(crate) use draft::Draft;
pub use pass::Pass;

/// Every pass, in the order in which they run.
pub fn passes() -> &'static [Pass] {
    &[
        suffixes::PASS,
        development::PASS,
        namespace::PASS,
        version::PASS,
        services::PASS,
        data::PASS,
        workers::PASS,
        resources::PASS,
        autoscalers::PASS,
        autoscaling::PASS,
        disruption::PASS,
        domains::PASS,
        cron::PASS,
        maintenance::PASS,
        flags::PASS,
        sites::PASS,
        jobs::PASS,
        job_settings::PASS,
        ingress::PASS,
        error_pages::PASS,
        certificates::PASS,
        hosts::PASS,
        pull_secret::PASS,
        quota::PASS,
        isolation::PASS,
        stopped::PASS,
        project::PASS,
        waves::PASS,
        protect::PASS,
        labels::PASS,
        images::PASS,
        marks::PASS,
    ]
}
