//! Groups of options that several commands have.

use std::{path::PathBuf, time::Duration};

use clap_complete::ArgValueCandidates;
use grove_operations::{Around, fleet::selection, request::Target, stacks::select};
use grove_release::Turn;

use crate::candidates;

/// Options that say where something is.
pub(crate) trait Places {
    /// Puts it into what is around an operation.
    fn place(&self, around: &mut Around);
}

/// Where the deploy branches are.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Deploy repository")]
pub(crate) struct Remotes {
    /// Use this remote instead of `deploy.remote`; `{cluster}` stands for the cluster's name.
    #[arg(long, value_name = "PATTERN")]
    pub(crate) deploy_remote: Option<String>,
}

impl Places for Remotes {
    fn place(&self, around: &mut Around) {
        around.deploy_remote.clone_from(&self.deploy_remote);
    }
}

/// Where the deploy branches are, and how long others who write to them are waited for.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Deploy repository")]
pub(crate) struct Branches {
    #[command(flatten)]
    pub(crate) remotes: Remotes,
    /// How long to wait, in seconds, while others write to the same deploy branch.
    #[arg(long, value_name = "SECONDS", default_value_t = Turn::LIMIT.as_secs())]
    pub(crate) wait_for_turn: u64,
}

impl Places for Branches {
    fn place(&self, around: &mut Around) {
        self.remotes.place(around);
        around.turn = Duration::from_secs(self.wait_for_turn);
    }
}

/// Agreement to the first release of a cluster whose deploy repository is there already.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub(crate) struct Beginning {
    /// Begin the cluster's deploy branch, which is missing in a repository that has others, with release
    /// 0001. Not needed where the repository is empty.
    #[arg(long)]
    pub(crate) first_release: bool,
}

/// How clusters are reached.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Cluster")]
pub(crate) struct Reach {
    /// The kubeconfig to use; default: `KUBECONFIG`, else `~/.kube/config`.
    #[arg(long, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// The context to use; default: the one whose server is `kubernetes.server` of `cluster.yaml`,
    /// else the one with the cluster's name.
    #[arg(long, value_name = "NAME")]
    pub(crate) context: Option<String>,
}

impl Places for Reach {
    fn place(&self, around: &mut Around) {
        if let Some(path) = &self.kubeconfig {
            around.kubeconfigs = vec![path.clone()];
        }
        around.context.clone_from(&self.context);
    }
}

/// Which program runs.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Program {
    /// The program that plans and applies; default: `tofu`, else `terraform`.
    #[arg(long, value_name = "PROGRAM", env = "GROVE_TOFU")]
    pub(crate) program: Option<PathBuf>,
}

impl Places for Program {
    fn place(&self, around: &mut Around) {
        around.tofu.clone_from(&self.program);
    }
}

/// Which bundle.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Lock {
    /// Use this lock file instead of the one that Grove carries.
    #[arg(long = "lock", value_name = "FILE")]
    pub(crate) lock: Option<PathBuf>,
}

/// Whether and how long a release is followed.
#[expect(
    clippy::struct_field_names,
    reason = "the field has the name of its option"
)]
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Waiting")]
pub(crate) struct Wait {
    /// Make Argo CD deploy at once, and wait until everything runs: synced and healthy.
    #[arg(long)]
    pub(crate) wait: bool,
    /// How long to wait, in seconds; what was begun goes on in the cluster.
    #[arg(long, value_name = "SECONDS", default_value_t = 900)]
    pub(crate) timeout: u64,
    #[command(flatten)]
    pub(crate) reach: Reach,
}

impl Wait {
    /// How many seconds are waited; none does not wait.
    pub(crate) fn seconds(&self) -> Option<u64> {
        self.wait.then_some(self.timeout)
    }
}

/// Instances by name, ring or label.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Selection")]
pub(crate) struct Selection {
    /// `cluster/instance` (with `*`), `cluster`, or `@ring`.
    #[arg(value_name = "SELECTOR", add = ArgValueCandidates::new(candidates::selectors))]
    pub(crate) selectors: Vec<String>,
    /// Only instances with this label; client, environment, group and ring are labels too.
    #[arg(short = 'l', long = "label", value_name = "KEY=VALUE")]
    pub(crate) labels: Vec<String>,
    /// Every instance of the fleet.
    #[arg(long, conflicts_with = "selectors")]
    pub(crate) all: bool,
}

impl Selection {
    /// What a request has of it.
    pub(crate) fn request(&self) -> selection::Selection {
        selection::Selection {
            selectors: self.selectors.clone(),
            labels: self.labels.clone(),
            all: self.all,
        }
    }
}

/// Agreement to touch many instances at once.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub(crate) struct Agreement {
    /// How many instances are expected to be selected; another number is refused, and no question
    /// is asked.
    #[arg(long, value_name = "N")]
    pub(crate) expect: Option<usize>,
}

/// Stacks by owner and name.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Selection")]
pub(crate) struct StackSelection {
    /// `cluster:stack`, `cluster/instance:stack` (with `*`), a cluster, an instance or `@ring`.
    #[arg(value_name = "SELECTOR", add = ArgValueCandidates::new(candidates::stacks))]
    pub(crate) selectors: Vec<String>,
    /// Only stacks of instances with this label.
    #[arg(short = 'l', long = "label", value_name = "KEY=VALUE")]
    pub(crate) labels: Vec<String>,
    /// Every stack of the fleet.
    #[arg(long, conflicts_with = "selectors")]
    pub(crate) all: bool,
}

impl StackSelection {
    /// What a request has of it.
    pub(crate) fn request(&self) -> select::StackSelection {
        select::StackSelection {
            selectors: self.selectors.clone(),
            labels: self.labels.clone(),
            all: self.all,
        }
    }
}

/// What `status` and `watch` ask about.
#[derive(Debug, clap::Args)]
pub(crate) struct Asking {
    /// How long a cluster may take to answer, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    timeout: u64,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    pub(crate) reach: Reach,
    #[command(flatten)]
    pub(crate) remotes: Remotes,
}

impl Asking {
    /// What a request has of it.
    pub(crate) fn request(
        &self,
        revision: Option<&str>,
    ) -> grove_operations::status::gather::Asking {
        grove_operations::status::gather::Asking {
            revision: revision.map(str::to_owned),
            selection: self.selection.request(),
            timeout: self.timeout,
        }
    }
}

/// How Jobs are run and watched.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Running {
    /// How long to watch, in seconds; the Job goes on.
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    pub(crate) timeout: u64,
    /// How long a finished Job stays in the cluster, in hours.
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    pub(crate) keep: u32,
    #[command(flatten)]
    pub(crate) agreement: Agreement,
    #[command(flatten)]
    pub(crate) reach: Reach,
    #[command(flatten)]
    pub(crate) branches: Branches,
}

impl Running {
    /// What a request has of it.
    pub(crate) fn request(&self) -> grove_operations::jobs::instance::Running {
        grove_operations::jobs::instance::Running {
            timeout: self.timeout,
            keep: self.keep,
        }
    }
}

/// How long Jobs on servers of data are watched.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Patience {
    /// How long to watch, in seconds; the Job goes on.
    #[arg(long, value_name = "SECONDS", default_value_t = 900)]
    pub(crate) timeout: u64,
}

/// The instances that a command writes to.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Instances {
    #[command(flatten)]
    pub(crate) agreement: Agreement,
    #[command(flatten)]
    pub(crate) selection: Selection,
}

impl Instances {
    /// What one selector means.
    pub(crate) fn of(selector: &str, agreement: Agreement) -> Self {
        Self {
            agreement,
            selection: Selection {
                selectors: vec![selector.to_owned()],
                ..Selection::default()
            },
        }
    }

    /// What a request has of it. Whoever runs the command is not asked: see `terminal::target`.
    pub(crate) fn request(&self, revision: Option<&str>) -> Target {
        Target {
            revision: revision.map(str::to_owned),
            selection: self.selection.request(),
            expect: self.agreement.expect,
        }
    }
}
