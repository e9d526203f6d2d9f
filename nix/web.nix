# The dashboard's web app, built from its lock file and nothing else.
#
# Each package is a fixed-output derivation of its own whose hash is the lock file's `integrity`: there is no second
# hash that somebody has to keep, and nothing is trusted that the lock does not name. npm fetches from the registry
# that it is set up with. Packages are then unpacked where the lock file says; no npm runs after that, hence no
# install scripts.
{
  lib,
  stdenv,
  stdenvNoCC,
  nodejs,
  cacert,
  sources,
}:
let
  lock = lib.importJSON sources.webLock;
  cpu = if stdenv.buildPlatform.isAarch64 then "arm64" else "x64";

  fits =
    package:
    lib.elem "linux" (package.os or [ "linux" ])
    && lib.elem cpu (package.cpu or [ cpu ])
    && lib.elem "glibc" (package.libc or [ "glibc" ]);
  # Path below the root → package; the root itself is "".
  packages = lib.filterAttrs (path: package: path != "" && fits package) lock.packages;

  nameOf = path: lib.last (lib.splitString "node_modules/" path);

  fetch =
    path: package:
    stdenvNoCC.mkDerivation {
      name = "npm-${lib.replaceStrings [ "@" "/" ] [ "" "-" ] (nameOf path)}-${package.version}.tgz";
      nativeBuildInputs = [
        nodejs
        cacert
      ];
      outputHashMode = "flat";
      outputHash = package.integrity;
      impureEnvVars = lib.fetchers.proxyImpureEnvVars;
      dontUnpack = true;
      buildPhase = ''
        export HOME=$TMPDIR
        npm pack --silent --ignore-scripts ${lib.escapeShellArg "${nameOf path}@${package.version}"}
      '';
      installPhase = ''
        mv *.tgz "$out"
      '';
    };
in
stdenvNoCC.mkDerivation {
  pname = "sentinel-dashboard-web";
  inherit (sources) version;
  src = sources.web;
  sourceRoot = "source/dashboard";

  nativeBuildInputs = [ nodejs ];

  configurePhase = ''
    runHook preConfigure
  ''
  + lib.concatStrings (
    lib.mapAttrsToList (path: package: ''
      mkdir -p ${lib.escapeShellArg path}
      tar -xzf ${fetch path package} --strip-components=1 -C ${lib.escapeShellArg path}
    '') packages
  )
  + ''
    patchShebangs node_modules
    runHook postConfigure
  '';
  buildPhase = ''
    runHook preBuild
    node node_modules/vite/bin/vite.js build --outDir "$out" --emptyOutDir
    runHook postBuild
  '';
  dontInstall = true;
}
