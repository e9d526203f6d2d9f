# Keys that configurations have in common.
{
  lib,
  key,
  keys,
  # As `keys`; null until something is set, for what is on when it is there.
  present,
}:
let
  inherit (lib) types;
  format = types.enum [
    "sentinel"
    "falco"
    "text"
  ];
  strings = types.attrsOf types.str;
in
rec {
  logLevel = key (types.enum [
    "error"
    "warn"
    "info"
    "debug"
    "trace"
  ]) "How much is logged.";

  # A port that is served.
  listener = {
    address = key types.str "IP address to listen at.";
    port = key types.port "Its TCP port.";
  };

  # Certificates of a connection to somebody; see `credentials`.
  certificates = {
    ca = key types.str "Whom to trust, PEM; the system's authorities without.";
    cert = key types.str "Our certificate, PEM, for servers that ask.";
    key = key types.str "Private key of it, PEM; see `credentials`.";
  };

  spool =
    description:
    keys {
      path = key types.str description;
      maxBytes = key types.ints.unsigned "Most bytes in it.";
    };

  nats = {
    servers = key (types.listOf types.str) "Servers of one cluster, `nats://HOST:PORT`.";
    stream = key types.str "The stream; agents and detectors must agree on it.";
    user = key types.str "User; the password is the credential `nats-password`.";
    tls = keys (certificates // { enabled = key types.bool "Whether the connection is encrypted."; });
    maxBytes = key types.ints.positive "Bytes that the stream may hold, when it is made.";
    replicas = key (types.enum [
      1
      3
      5
    ]) "Servers that hold each event, when the stream is made.";
  };

  outputs = keys {
    stdout = present { format = key format "Form of an alert."; };
    file = present {
      path = key types.str "The file.";
      format = key format "Form of an alert.";
      rotateMaxBytes = key types.ints.positive "Size in bytes at which a new file is begun.";
      rotateMaxFiles = key types.ints.positive "Files that are kept, the active one included.";
    };
    http = present {
      url = key types.str "Where alerts are posted, `http://…` or `https://…`.";
      format = key format "Form of an alert.";
      tls = keys certificates;
      headers = key strings "Headers of every request. Not for secrets: the store shows them.";
      extraFields = key strings "Constant fields of every alert.";
      batch = keys { alerts = key types.ints.positive "Most alerts in a request."; };
      timeoutSeconds = key types.ints.positive "How long the server may take for a request.";
      spool = spool "Directory where alerts wait while the server is away.";
    };
    syslog = present {
      address = key types.str "`udp://HOST:PORT`, `tcp://HOST:PORT` or the path of a socket.";
      facility = key types.str "Facility, by name.";
      format = key format "Form of the message.";
    };
    journald = present { socket = key types.str "The journal's socket."; };
  };
}
