//! `sentinel run`.

mod hub;

use std::io::{self, IsTerminal as _, Stdout};
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use chrono::Local;
use sentinel_agent::{Config, ForwardRules, Grpc, Job, LogLevel, Rules, Sink, StreamMode, StreamModes};
use sentinel_event::{Alert, KindSet, Observation};

use self::hub::Hub;
use crate::args::{Run, RunFormat, Switch};
use crate::live::{Live, Look};

/// Watches this host until a signal, or until nobody reads the output any more.
pub(crate) fn run(args: &Run) -> anyhow::Result<ExitCode> {
    let mut config = config(args)?;
    let terminal = io::stdout().is_terminal();
    sentinel_agent::init_logging(config.log_level)?;
    let rules = rules(args, &config);
    // What is wrong with the rules is told before anything listens.
    sentinel_agent::check_detection(&config, &rules.load()?)?;
    let hub = hub(args, terminal)?;
    config.stream.mode = StreamModes(vec![StreamMode::Stdout]);
    if let Some(hub) = &hub {
        config.stream.mode = StreamModes(vec![StreamMode::Stdout, StreamMode::Grpc]);
        config.grpc = Grpc { endpoint: hub.endpoint.clone(), ..Grpc::default() };
        config.grpc.spool.max_bytes = 0; // it is as near as can be, and ends with us
        eprintln!("sentinel: dashboard at {}", hub.url);
    }
    match (args.format, terminal) {
        (RunFormat::Json, _) | (RunFormat::Auto, false) => {
            let sink = Sink::Streams;
            sentinel_agent::run(&config, Job { rules, sink, alerts: None, listen: false })?;
        }
        (RunFormat::Live, _) | (RunFormat::Auto, true) => watch(args, &config, rules, terminal)?,
    }
    if let Some(hub) = hub {
        hub.stop()?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The dashboard, when it is wanted. When it is not asked for and cannot be had, the rest works without.
fn hub(args: &Run, terminal: bool) -> anyhow::Result<Option<Hub>> {
    let asked = args.dashboard == Switch::On || args.port.is_some();
    let seen = terminal && args.format != RunFormat::Json;
    if args.dashboard == Switch::Off || !(asked || seen) {
        return Ok(None);
    }
    match Hub::start(args.port) {
        Ok(hub) => Ok(Some(hub)),
        Err(error) if asked => Err(error),
        Err(error) => {
            eprintln!("sentinel: no dashboard: {error:#}");
            Ok(None)
        }
    }
}

/// Runs with the live view on standard output.
fn watch(args: &Run, config: &Config, rules: Rules, terminal: bool) -> anyhow::Result<()> {
    let look = Look { color: args.color.wanted(terminal), fold: config.capture.aggregate, zone: Local };
    let live = Arc::new(Mutex::new(Live::new(io::stdout(), look)));
    let (started, drawn) = (Instant::now(), live.clone());
    let sink = move |batch: &[Observation]| match with(&drawn, |live| live.draw(batch, now_ns(), width())) {
        Ok(()) => ControlFlow::Continue(()),
        Err(_) => ControlFlow::Break(()), // the terminal has gone
    };
    let alerted = live.clone();
    let alerts = move |alert: &Alert| {
        // A terminal that has gone is noticed by the next event.
        let _ = with(&alerted, |live| live.alert(alert));
    };
    if terminal {
        eprintln!("sentinel: watching this host; ctrl-C stops");
    }
    let (sink, alerts) = (Sink::Observer(Box::new(sink)), Some(Box::new(alerts) as Box<_>));
    sentinel_agent::run(config, Job { rules, sink, alerts, listen: false })?;
    if terminal {
        eprint!("\r"); // over the ^C that the terminal shows
    }
    match with(&live, |live| live.finish(started.elapsed(), width())) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

type Shared = Arc<Mutex<Live<Stdout, Local>>>;

fn with<T>(live: &Shared, act: impl FnOnce(&mut Live<Stdout, Local>) -> T) -> T {
    act(&mut live.lock().unwrap_or_else(PoisonError::into_inner))
}

fn config(args: &Run) -> anyhow::Result<Config> {
    let mut config = match &args.config {
        Some(file) => Config::load(Some(file))?,
        None => Config { log_level: LogLevel::Warn, ..Config::default() },
    };
    config.capture.aggregate &= !args.no_aggregate;
    if args.no_rules {
        config.detection.rules.clear();
    } else if !args.rules.is_empty() {
        config.detection.rules = args.rules.iter().map(|path| path.display().to_string()).collect();
    }
    Ok(config)
}

/// A file that was named, else the kinds that were named, else everything.
fn rules(args: &Run, config: &Config) -> Rules {
    let configured = args.config.as_ref().map(|_| &config.rules_file).filter(|_| args.event.is_empty());
    let configured = configured.filter(|path| !config.rules_file_is_default() || path.exists());
    match args.forward.as_ref().or(configured) {
        Some(path) => Rules::File { path: path.clone(), required: true },
        None if args.event.is_empty() => Rules::Fixed(ForwardRules::every_kind()),
        None => {
            let kinds: KindSet = args.event.iter().copied().collect();
            Rules::Fixed(ForwardRules::of_kinds(kinds))
        }
    }
}

/// Columns of the terminal at standard output; none when it is not one.
fn width() -> Option<usize> {
    terminal_size::terminal_size_of(io::stdout()).map(|(columns, _)| columns.0.into())
}

fn now_ns() -> u64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_nanos()).unwrap_or(u64::MAX)
}
