# Keys of agent-config.yaml: docs/reference/config.md. A test compares the names.
{
  lib,
  key,
  keys,
  shared,
  ...
}:
let
  inherit (lib) types;
  mode = types.enum [
    "grpc"
    "nats"
    "stdout"
    "file"
  ];
  offOr = types.either (types.enum [ "off" ]) (types.attrsOf types.ints.positive);
in
{
  inherit (shared) logLevel;
  rulesFile = key types.path "Forward rules; `forwardRules` writes it.";
  detection = keys {
    rules = key (types.listOf types.str) "Rule files and directories; `builtin` is the shipped set.";
    watch = key types.bool "Read rule files again when they change.";
    matching = key (types.enum [
      "first"
      "all"
    ]) "Whether the first rule that matches ends it.";
    minimumPriority = key types.str "Rules of a lower priority are not used.";
    select = key (types.listOf (types.attrsOf types.anything)) "Switches rules on and off.";
    dedup = key offOr "Tells what says the same once in a window: off or windowSeconds.";
    rateLimit = key offOr "Most alerts of one rule: off or alerts and perSeconds.";
    inherit (shared) outputs;
    appendOutput = key (types.listOf (types.attrsOf types.anything)) "Adds to the outputs of rules.";
    staticFields = key (types.attrsOf types.str) "Constants of every alert.";
  };
  stream = keys {
    mode = key (types.either mode (types.listOf mode)) "Where forwarded events go.";
    batchSize = key (types.ints.between 1 4096) "Most events in a batch.";
    queueLength = key (types.ints.between 1 65536) "Batches that wait for an output.";
    file = keys {
      path = key types.str "The log, for mode file.";
      rotateMaxBytes = key types.ints.positive "Size in bytes at which a new file is begun.";
      rotateMaxFiles = key types.ints.positive "Files that are kept, the active one included.";
      compress = key types.bool "Whether files are gzip.";
      syncSeconds = key (types.either types.ints.unsigned (
        types.enum [ "never" ]
      )) "How long events may wait for the disk.";
    };
  };
  grpc = keys {
    endpoint = key types.str "Host and port of the detector.";
    tls = keys (
      shared.certificates
      // {
        enabled = key types.bool "Whether the connection is encrypted.";
        serverName = key types.str "The name in the detector's certificate, if not the host's.";
      }
    );
    spool = shared.spool "Directory where events wait while the detector is away.";
  };
  nats = keys (
    shared.nats // { spool = shared.spool "Directory where events wait while NATS is away."; }
  );
  capture = keys {
    aggregate = key types.bool "Sum reads and writes per open file in the kernel.";
    buffers = key types.bool "Record a little of buffers.";
    dns = key types.bool "Follow DNS answers, where rules ask for names of addresses.";
    compat = key types.bool "See 32-bit system calls too, which every system call pays for.";
    ringBytes = key types.ints.positive "Size in bytes of the ring between kernel and agent.";
  };
  enrichment = keys {
    runtimes = key types.bool "Ask container runtimes; see `containerRuntimes`.";
    sockets = key (types.listOf types.str) "Their sockets, where they are not at the usual places.";
    kubernetes = key (types.enum [
      "auto"
      "on"
      "off"
    ]) "Watch the node's pods at Kubernetes' API server.";
    kubernetesCredentials = key types.str "Directory with token and ca.crt for it.";
    users = key types.bool "Read names of users and groups.";
    waitMilliseconds = key (types.ints.between 0 10000) "How long events wait for what is asked about their container.";
  };
  health = keys shared.listener;
  metrics = keys (shared.listener // { enabled = key types.bool "Whether metrics are served."; });
}
