# Keys of dashboard-config.yaml: docs/reference/dashboard-config.md. A test compares the names.
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
  inherit (shared) logLevel;
  http = keys (
    shared.listener
    // {
      pathPrefix = key types.str "What a reverse proxy leaves before every path.";
      hosts = key (types.listOf types.str) "Names under which browsers reach it.";
    }
  );
  detectors = key (types.listOf (types.attrsOf types.str)) "Whose alerts are shown: name, url, tokenFile of each. This host's without.";
  access = keys {
    mode = key (types.enum [
      "open"
      "token"
      "header"
    ]) "Who may look; the token of mode token is the credential `dashboard-token`.";
    tokenFile = key types.str "Another file with the token.";
    header = key types.str "The header of mode header.";
    proxies = key (types.listOf types.str) "IP addresses of the proxies that may set it.";
  };
}
