# Keys of detector-config.yaml: docs/reference/detector-config.md. A test compares the names.
{
  lib,
  key,
  keys,
  shared,
  ...
}:
let
  inherit (lib) types;
in
{
  inherit (shared) logLevel outputs;
  grpc = keys (
    shared.listener
    // {
      tls = keys {
        cert = key types.str "Certificate chain, PEM; see `credentials`.";
        key = key types.str "Private key of it, PEM; see `credentials`.";
        clientCa = key types.str "Authorities of the agents' certificates, PEM.";
      };
      maxMessageBytes = key types.ints.positive "Largest message that is read.";
      maxConnections = key types.ints.positive "Connections that are served at a time.";
    }
  );
  http = keys (
    shared.listener
    // {
      corsOrigins = key (types.listOf types.str) "Origins whose pages may read the API in a browser.";
      maxConnections = key types.ints.positive "Connections that are served at a time.";
    }
  );
  nats = keys shared.nats;
  engines = key (types.listOf (
    types.enum [
      "rules"
      "baseline"
      "external"
      "pass-through"
    ]
  )) "What judges events.";
  rules = key (types.listOf types.str) "Rules of the engine `rules`; `builtin` is the shipped set.";
  baseline = keys {
    threshold = key types.float "From which score on an event is an anomaly.";
    path = key types.str "Where the engine `baseline` keeps what it has learned.";
  };
  external = keys {
    endpoint = key types.str "Whom the engine `external` asks, `http://HOST:PORT`.";
    timeoutMs = key (types.ints.between 1 60000) "How long it may take for a batch.";
    tls = keys shared.certificates;
  };
  history = keys {
    path = key types.str "The database of alerts, a file.";
    postgresUrl = key types.str "A PostgreSQL database in its place, `postgresql://USER@HOST:PORT/DATABASE?sslmode=require`; the password is the credential `postgres-password`.";
    postgresTls = keys shared.certificates;
    retention = keys {
      age = key types.str "Alerts that are older are forgotten: a number with s, m, h or d.";
      bytes = key types.ints.positive "Size in bytes the database may have.";
      eventsAge = key types.str "The same for processes, files and connections.";
      eventsPercent = key (types.ints.between 1 90) "Share of the bytes that they may take.";
    };
  };
}
