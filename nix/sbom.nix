# What the programs are made of: a CycloneDX document for each.
{
  stdenvNoCC,
  rustPlatform,
  cargo,
  rustc,
  cargo-cyclonedx,
  sources,
}:
stdenvNoCC.mkDerivation {
  pname = "sentinel-sbom";
  inherit (sources) version;
  src = sources.rust;
  cargoDeps = rustPlatform.importCargoLock { lockFile = ../Cargo.lock; };

  nativeBuildInputs = [
    rustPlatform.cargoSetupHook
    cargo
    rustc
    cargo-cyclonedx
  ];
  buildPhase = ''
    runHook preBuild
    cargo cyclonedx --format json --spec-version 1.5
    runHook postBuild
  '';
  installPhase = ''
    runHook preInstall
    mkdir -p $out
    for crate in agent detector dashboard cli; do
      cp "crates/$crate/sentinel-$crate.cdx.json" $out/
    done
    runHook postInstall
  '';
}
