//! One control plane: its directory, its start and its end.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use grove_cluster::{Access, Connection};

use crate::{
    Error, Programs, install,
    parts::{self, Parts, Ports},
    player::Player,
    process::Processes,
    programs,
};

/// How long a part may take to become ready.
const READY: Duration = Duration::from_secs(90);

/// The users of every control plane: token, name, groups.
const TOKENS: &str = "\
admin-token,admin,admin,\"system:masters\"
reader-token,reader,reader
nobody-token,nobody,nobody
";

/// What stands in a new control plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Install {
    /// Kubernetes alone: an empty API server with a node, a storage class and an ingress class.
    Nothing,
    /// The CRDs of cert-manager, too.
    CertManager,
    /// cert-manager's CRDs, Argo CD and Sealed Secrets, as their own manifests have them.
    ArgoCd,
}

/// What a control plane is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// The name of the context in its kubeconfig.
    pub name: String,
    /// Where its data, logs and kubeconfig go: a directory that is empty or not there.
    pub directory: PathBuf,
    /// Where programs are kept.
    pub cache: PathBuf,
    /// What stands in it.
    pub install: Install,
}

/// A control plane that was started. It is ended when this is dropped, unless it was
/// [detached](ControlPlane::detach).
#[derive(Debug)]
pub struct ControlPlane {
    name: String,
    directory: PathBuf,
    ports: Ports,
    programs: Programs,
    processes: Processes,
    player: Option<Player>,
    ended_on_drop: bool,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct State {
    name: String,
    cache: PathBuf,
    ports: Ports,
}

impl ControlPlane {
    /// Starts a control plane and waits until what was asked for stands in it.
    pub fn start(options: &Options, progress: &dyn Fn(&str)) -> Result<Self, Error> {
        let programs = Programs::new(&options.cache);
        for program in programs::ALL {
            if !programs.has(*program) {
                progress(&format!("building {} from its Go module", program.name));
            }
            programs.get(*program)?;
        }
        fs_err::create_dir_all(&options.directory)?;
        let directory = fs_err::canonicalize(&options.directory)?;
        let mut plane = Self {
            name: options.name.clone(),
            ports: Ports::free()?,
            processes: Processes::new(&directory),
            directory,
            programs,
            player: None,
            ended_on_drop: true,
        };
        plane.prepare(&options.cache)?;
        progress("starting etcd and the API server");
        plane.boot()?;
        progress("starting controllers, scheduler, KWOK and Redis");
        plane.rest()?;
        if options.install != Install::Nothing {
            progress("installing what clusters have");
        }
        install::run(&plane, options.install)?;
        plane.player = Some(Player::start(&plane.directory)?);
        Ok(plane)
    }

    /// A control plane that runs, by its directory. It goes on when this is dropped.
    pub fn attach(directory: &Path) -> Result<Self, Error> {
        let none = || Error::None(directory.to_owned());
        let text = fs_err::read_to_string(directory.join("state.json")).map_err(|_| none())?;
        let state: State = serde_json::from_str(&text).map_err(|error| Error::Invalid {
            what: directory.join("state.json").display().to_string(),
            message: error.to_string(),
        })?;
        Ok(Self {
            name: state.name,
            directory: directory.to_owned(),
            ports: state.ports,
            programs: Programs::new(&state.cache),
            processes: Processes::new(directory),
            player: None,
            ended_on_drop: false,
        })
    }

    /// Lets it run on after this is dropped. `player` is a command that calls [`crate::play`] for
    /// its directory.
    pub fn detach(mut self, player: &mut std::process::Command) -> Result<(), Error> {
        self.player = None;
        self.processes.start(parts::PLAYER, player)?;
        self.ended_on_drop = false;
        Ok(())
    }

    /// The name of its context.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where the parts write what they say, one file a part.
    pub fn logs(&self) -> PathBuf {
        self.directory.join("logs")
    }

    /// The kubeconfig of its administrator, with one context of its name.
    pub fn kubeconfig(&self) -> PathBuf {
        self.directory.join("kubeconfig")
    }

    /// The address of its API server.
    pub fn server(&self) -> String {
        format!("https://127.0.0.1:{}", self.ports.api_server)
    }

    /// The parts that run, with their process numbers.
    pub fn parts(&self) -> Vec<(String, Option<u32>)> {
        self.processes
            .all()
            .into_iter()
            .map(|part| {
                let id = self.processes.running(&part);
                (part, id)
            })
            .collect()
    }

    /// A kubeconfig of its own for `user` with `token`; the context has the control plane's name.
    /// `reader-token` and `nobody-token` are known and may do nothing until a role is bound to the
    /// users `reader` and `nobody`; any other token is refused.
    pub fn kubeconfig_of(&self, user: &str, token: &str) -> Result<PathBuf, Error> {
        let path = self.directory.join(format!("kubeconfig-{user}"));
        fs_err::write(&path, kubeconfig(self, token)?)?;
        Ok(path)
    }

    /// Ends the API server, as if it were gone; [`Self::start_api_server`] brings it back.
    pub fn stop_api_server(&self) {
        self.processes.stop(parts::API_SERVER);
    }

    /// Starts the API server again at its old address.
    pub fn start_api_server(&self) -> Result<(), Error> {
        self.parts_of().api_server()?;
        self.ready()
    }

    /// Ends a process of Argo CD or Sealed Secrets by its name, such as
    /// `argocd-application-controller`; the player starts it again.
    pub fn restart(&self, part: &str) {
        self.processes.stop(part);
    }

    /// Ends every part.
    pub fn stop(&mut self) {
        self.player = None;
        // Programs outlive a broken connection to etcd badly, so it is the last one.
        let mut all = self.processes.all();
        all.sort_by_key(|part| [parts::API_SERVER, parts::ETCD].contains(&part.as_str()));
        self.processes.stop(parts::PLAYER);
        for part in all {
            self.processes.stop(&part);
        }
    }

    /// A connection as its administrator.
    pub async fn connect(&self) -> Result<Connection, grove_cluster::Error> {
        let access = Access {
            kubeconfigs: vec![self.kubeconfig()],
            ..Access::default()
        };
        Connection::open(&self.name, &access).await
    }

    pub(crate) fn programs(&self) -> &Programs {
        &self.programs
    }

    pub(crate) fn processes(&self) -> &Processes {
        &self.processes
    }

    pub(crate) fn ports(&self) -> &Ports {
        &self.ports
    }

    /// The kubeconfig of a service account.
    pub(crate) fn kubeconfig_text(&self, token: &str) -> Result<String, Error> {
        kubeconfig(self, token)
    }

    /// Starts the parts of Kubernetes again that ended, as the kubelet of a control plane would: some
    /// do not outlive an API server that goes away while they start.
    pub(crate) fn revive(&self) -> Result<(), Error> {
        let parts = self.parts_of();
        let ended = |part: &str| self.processes.running(part).is_none();
        if ended(parts::CONTROLLER_MANAGER) {
            parts.controller_manager()?;
        }
        if ended(parts::SCHEDULER) {
            parts.scheduler()?;
        }
        if ended(parts::KWOK) {
            parts.kwok()?;
        }
        Ok(())
    }

    fn parts_of(&self) -> Parts<'_> {
        Parts {
            directory: &self.directory,
            ports: &self.ports,
            programs: &self.programs,
            processes: &self.processes,
        }
    }

    fn prepare(&self, cache: &Path) -> Result<(), Error> {
        let state = State {
            name: self.name.clone(),
            cache: cache.to_owned(),
            ports: self.ports,
        };
        let text = serde_json::to_string_pretty(&state).unwrap_or_default();
        fs_err::write(self.directory.join("state.json"), text)?;
        fs_err::write(self.directory.join("tokens.csv"), TOKENS)?;
        let pair =
            grove_seal::keys::new_key_pair(2048, "control-plane", jiff::Timestamp::UNIX_EPOCH)
                .map_err(|error| Error::Invalid {
                    what: "the key of service accounts".to_owned(),
                    message: error.to_string(),
                })?;
        fs_err::write(
            self.directory.join("service-account.pem"),
            pair.private.expose(),
        )?;
        fs_err::write(self.directory.join("certificate.pem"), pair.certificate)?;
        fs_err::write(
            self.directory.join("stages.yaml"),
            install::stages(&self.programs, &self.directory)?,
        )?;
        Ok(())
    }

    fn boot(&self) -> Result<(), Error> {
        let parts = self.parts_of();
        parts.etcd()?;
        parts.api_server()?;
        let begun = Instant::now();
        // The API server makes its certificate when it starts.
        let certificate = self.directory.join("certificates/apiserver.crt");
        while !certificate.is_file() {
            self.must_run(&[parts::ETCD, parts::API_SERVER], begun)?;
        }
        fs_err::write(self.kubeconfig(), kubeconfig(self, "admin-token")?)?;
        self.ready()
    }

    fn rest(&self) -> Result<(), Error> {
        let parts = self.parts_of();
        parts.controller_manager()?;
        parts.scheduler()?;
        parts.kwok()?;
        parts.redis()
    }

    /// Waits until the API server answers.
    fn ready(&self) -> Result<(), Error> {
        let begun = Instant::now();
        loop {
            if runtime()?.block_on(self.connect()).is_ok() {
                return Ok(());
            }
            self.must_run(&[parts::ETCD, parts::API_SERVER], begun)?;
        }
    }

    fn must_run(&self, parts: &[&'static str], begun: Instant) -> Result<(), Error> {
        std::thread::sleep(Duration::from_millis(100));
        for part in parts {
            if self.processes.running(part).is_none() {
                return Err(self.processes.failure(part, "ended"));
            }
            if begun.elapsed() > READY {
                return Err(self.processes.failure(part, "did not become ready"));
            }
        }
        Ok(())
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        if self.ended_on_drop {
            self.stop();
        }
    }
}

/// A runtime for what is asked of the API server between blocking steps.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?)
}

fn kubeconfig(plane: &ControlPlane, token: &str) -> Result<String, Error> {
    let certificate = fs_err::read(plane.directory.join("certificates/apiserver.crt"))?;
    let name = &plane.name;
    let value = serde_json::json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{"name": name, "cluster": {
            "server": plane.server(),
            "certificate-authority-data": BASE64_STANDARD.encode(certificate),
        }}],
        "users": [{"name": name, "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
    });
    Ok(grove_yaml::emit(&value))
}
