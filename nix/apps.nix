# `nix run .#NAME`.
{ packages }:
let
  app = program: description: {
    type = "app";
    inherit program;
    meta = { inherit description; };
  };
in
rec {
  default = sentinel;
  sentinel = app "${packages.cli}/bin/sentinel" "Watches this machine, explains and checks rules, diagnoses";
  agent = app "${packages.agent}/bin/sentinel-agent" "Observes what the processes of this machine do";
  detector = app "${packages.detector}/bin/sentinel-detector" "Judges events, keeps and serves alerts";
  dashboard = app "${packages.dashboard}/bin/sentinel-dashboard" "Shows alerts as they happen";
}
