//! `detection.appendOutput` and `detection.staticFields`: what alerts say beyond the outputs of their rules.

use sentinel_rules::language::{AdditionError, Additions, AppendOutput, ExtraField};

use crate::{
    ConfigError,
    config::{self, Detection},
};

/// What the configuration adds; none when nothing.
pub(super) fn additions(detection: &Detection) -> Option<Additions> {
    let additions = Additions {
        append_output: detection.append_output.iter().map(addition).collect(),
        static_fields: detection.static_fields.clone(),
    };
    (additions != Additions::default()).then_some(additions)
}

fn addition(append: &config::AppendOutput) -> AppendOutput {
    let matches = append.matches.clone().unwrap_or_default();
    AppendOutput {
        rule: matches.rule,
        source: matches.source,
        tags: matches.tags.into_iter().collect(),
        extra_output: Some(append.extra_output.clone()).filter(|text| !text.is_empty()),
        extra_fields: append.extra_fields.iter().flat_map(fields).collect(),
        suggested_output: append.suggested_output,
    }
}

fn fields(field: &config::ExtraField) -> Vec<ExtraField> {
    match field {
        config::ExtraField::Field(name) => vec![ExtraField::Field(name.clone())],
        config::ExtraField::Templates(templates) => {
            let named = |(name, template): (&String, &String)| ExtraField::Template {
                name: name.clone(),
                template: template.clone(),
            };
            templates.iter().map(named).collect()
        }
    }
}

/// The error in the words of the configuration.
pub(super) fn refusal(error: &AdditionError) -> ConfigError {
    let at = error.at.replace("append_output", "detection.appendOutput");
    let at = at.replace("extra_output", "extraOutput").replace("extra_fields", "extraFields");
    ConfigError::Detection(format!("{at}: {:?}: {}", error.text, error.problem))
}

#[cfg(test)]
mod tests {
    use sentinel_rules::forward::ForwardRules;

    use crate::{Config, check_detection};

    #[test]
    fn an_addition_that_names_no_field_is_refused_with_its_place() {
        let text = "detection: {appendOutput: [{extraOutput: a}, {extraFields: [proc.cwd, proc.nmae]}]}";
        let config = Config::parse("c.yaml", text).unwrap();
        let error = check_detection(&config, &ForwardRules::default()).unwrap_err().to_string();
        for part in ["detection.appendOutput[1].extraFields[1]: ", "proc.nmae", "proc.name"] {
            assert!(error.contains(part), "{part}: {error}");
        }
    }
}
