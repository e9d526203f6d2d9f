# OCI images: the program, what it links to, certificates, and nothing else. No shell. Times are the epoch.
# `scripts/images.sh` builds the same content without Nix.
{ pkgs, sentinel }:
let
  inherit (pkgs) lib dockerTools;

  image =
    {
      program, # also the output's name
      user ? "65532:65532", # nobody in particular, as images without a distribution have it
      ports ? [ ],
      title,
    }:
    let
      package = sentinel.${program};
      executable = lib.getExe' package "sentinel-${program}";
    in
    dockerTools.streamLayeredImage {
      name = "sentinel-${program}";
      tag = package.version;
      contents = [ dockerTools.caCertificates ];
      config = {
        Entrypoint = [ executable ];
        User = user;
        ExposedPorts = lib.genAttrs (map (port: "${toString port}/tcp") ports) (_: { });
        Labels = {
          "org.opencontainers.image.title" = title;
          "org.opencontainers.image.version" = package.version;
          "org.opencontainers.image.source" = "https://github.com/sentinel-security/sentinel";
          "org.opencontainers.image.licenses" = "Apache-2.0 AND GPL-2.0-only";
        };
      };
    };
in
lib.mapAttrs (program: settings: image (settings // { inherit program; })) {
  agent = {
    title = "Sentinel agent";
    # Capabilities of a container go to root's processes only (Kubernetes has no ambient ones). The chart
    # gives few of them and takes the rest.
    user = "0:0";
    ports = [
      9101
      9102
    ];
  };
  detector = {
    title = "Sentinel detector";
    ports = [
      50051
      8090
    ];
  };
  dashboard = {
    title = "Sentinel dashboard";
    ports = [ 8080 ];
  };
}
