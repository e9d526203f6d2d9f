# Which files each derivation sees: an edit elsewhere does not build it again.
{ lib }:
let
  inherit (lib) fileset;
  root = ../.;
  source =
    files:
    fileset.toSource {
      inherit root;
      fileset = fileset.unions files;
    };
  rust = [
    ../.cargo
    ../Cargo.toml
    ../Cargo.lock
    ../clippy.toml
    ../rustfmt.toml
    ../benches
    ../bpf
    ../crates
    (fileset.maybeMissing ../rules)
  ];
in
{
  version = (lib.importTOML ../Cargo.toml).workspace.package.version;

  rust = source rust;
  # What tests read besides: generated documentation, and everything that crates/tidy looks at.
  tests = source (
    rust
    ++ [
      ../.clang-format
      ../CHANGELOG.md
      ../CODE_OF_CONDUCT.md
      ../CONTRIBUTING.md
      ../LICENSE-APACHE
      ../Makefile
      ../README.md
      ../SECURITY.md
      ../docs
      ../scripts
    ]
  );
  bpf = source [ ../bpf ];
  chart = source [ ../helm ];
  nix = source [
    ../flake.nix
    ../nix
    ../nixos-module
    ../vm-tests
    ../dist
  ];

  # The web app, without what was built or installed beside it.
  web = source [
    (fileset.difference ../dashboard (
      fileset.unions [
        (fileset.maybeMissing ../dashboard/node_modules)
        (fileset.maybeMissing ../dashboard/dist)
      ]
    ))
  ];
  webLock = ../dashboard/package-lock.json;
}
