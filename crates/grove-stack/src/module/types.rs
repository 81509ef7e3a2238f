//! Type constraints (<https://opentofu.org/docs/language/expressions/type-constraints/>).

use std::{collections::BTreeMap, fmt};

use hcl_edit::expr::{Expression, FuncCall, ObjectKey};
use serde_json::Value;

/// What a variable's values may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// Anything.
    Any,
    /// Text; numbers and truth values become it.
    String,
    /// A number, or text that is one.
    Number,
    /// `true` or `false`, or text that says so.
    Bool,
    /// A list.
    List(Box<Type>),
    /// A set.
    Set(Box<Type>),
    /// A map.
    Map(Box<Type>),
    /// Named attributes.
    Object(BTreeMap<String, Attribute>),
    /// Values in this order.
    Tuple(Vec<Type>),
}

/// An attribute of [`Type::Object`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// What its values may be.
    pub holds: Type,
    /// Whether it may be left out.
    pub is_optional: bool,
}

impl Type {
    /// The type that an expression of a `type` argument says; none where it says none.
    pub(crate) fn of(expression: &Expression) -> Option<Self> {
        match expression {
            Expression::Variable(name) => Self::simple(name.as_str()),
            // The old form: `"string"`.
            Expression::String(name) => Self::simple(name.as_str()),
            Expression::Parenthesis(inner) => Self::of(inner.inner()),
            Expression::FuncCall(call) => Self::constructed(call),
            _ => None,
        }
    }

    fn simple(name: &str) -> Option<Self> {
        Some(match name {
            "any" => Self::Any,
            "string" => Self::String,
            "number" => Self::Number,
            "bool" => Self::Bool,
            "list" => Self::List(Box::new(Self::Any)),
            "set" => Self::Set(Box::new(Self::Any)),
            "map" => Self::Map(Box::new(Self::Any)),
            _ => return None,
        })
    }

    fn constructed(call: &FuncCall) -> Option<Self> {
        let argument = call.args.iter().next()?;
        let inner = || Some(Box::new(Self::of(argument)?));
        Some(match call.name.name.as_str() {
            "list" => Self::List(inner()?),
            "set" => Self::Set(inner()?),
            "map" => Self::Map(inner()?),
            "tuple" => {
                let types = argument.as_array()?.iter().map(Self::of);
                Self::Tuple(types.collect::<Option<_>>()?)
            }
            "object" => {
                let attributes = argument.as_object()?.iter().map(|(key, value)| {
                    let name = match key {
                        ObjectKey::Ident(name) => name.as_str().to_owned(),
                        ObjectKey::Expression(Expression::Variable(name)) => {
                            name.as_str().to_owned()
                        }
                        ObjectKey::Expression(expression) => expression.as_str()?.to_owned(),
                    };
                    Some((name, Attribute::of(value.expr())?))
                });
                Self::Object(attributes.collect::<Option<_>>()?)
            }
            _ => return None,
        })
    }

    /// Whether a value can become one of this type, as OpenTofu converts.
    ///
    /// # Errors
    ///
    /// What is wrong, in a few words, with the way to it.
    pub fn check(&self, value: &Value) -> Result<(), String> {
        self.check_at(value, &mut Vec::new())
    }

    fn check_at<'a>(&'a self, value: &'a Value, way: &mut Vec<String>) -> Result<(), String> {
        // Whether a variable may be null is its own affair.
        if value.is_null() {
            return Ok(());
        }
        let is_number = |text: &str| text.parse::<f64>().is_ok_and(f64::is_finite);
        match (self, value) {
            (Self::Any, _)
            | (Self::String, Value::String(_) | Value::Number(_) | Value::Bool(_))
            | (Self::Number, Value::Number(_))
            | (Self::Bool, Value::Bool(_)) => Ok(()),
            (Self::Number, Value::String(text)) if is_number(text) => Ok(()),
            (Self::Bool, Value::String(text)) if text == "true" || text == "false" => Ok(()),
            (Self::List(inner) | Self::Set(inner), Value::Array(values)) => {
                for (index, value) in values.iter().enumerate() {
                    inner.check_below(value, way, &format!("[{index}]"))?;
                }
                Ok(())
            }
            (Self::Map(inner), Value::Object(values)) => {
                for (key, value) in values {
                    inner.check_below(value, way, &format!(".{key}"))?;
                }
                Ok(())
            }
            (Self::Tuple(types), Value::Array(values)) if types.len() == values.len() => {
                for (index, (inner, value)) in types.iter().zip(values).enumerate() {
                    inner.check_below(value, way, &format!("[{index}]"))?;
                }
                Ok(())
            }
            (Self::Object(attributes), Value::Object(values)) => {
                for (name, attribute) in attributes {
                    match values.get(name) {
                        Some(value) => {
                            attribute
                                .holds
                                .check_below(value, way, &format!(".{name}"))?;
                        }
                        None if attribute.is_optional => {}
                        None => return Err(format!("it lacks `{}{name}`", prefix(way))),
                    }
                }
                Ok(())
            }
            _ => Err(if way.is_empty() {
                format!("it is {}, not {self}", kind(value))
            } else {
                let way = way.concat();
                let way = way.strip_prefix('.').unwrap_or(&way);
                format!("`{way}` is {}, not {self}", kind(value))
            }),
        }
    }

    fn check_below<'a>(
        &'a self,
        value: &'a Value,
        way: &mut Vec<String>,
        step: &str,
    ) -> Result<(), String> {
        way.push(step.to_owned());
        self.check_at(value, way)?;
        way.pop();
        Ok(())
    }
}

impl Attribute {
    fn of(expression: &Expression) -> Option<Self> {
        if let Expression::FuncCall(call) = expression
            && call.name.name.as_str() == "optional"
        {
            return Some(Self {
                holds: Type::of(call.args.iter().next()?)?,
                is_optional: true,
            });
        }
        Some(Self {
            holds: Type::of(expression)?,
            is_optional: false,
        })
    }
}

fn prefix(way: &[String]) -> String {
    if way.is_empty() {
        return String::new();
    }
    let way = way.concat();
    format!("{}.", way.strip_prefix('.').unwrap_or(&way))
}

/// What a value is, in a word.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

/// As the language writes it.
impl fmt::Display for Type {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => formatter.write_str("any"),
            Self::String => formatter.write_str("string"),
            Self::Number => formatter.write_str("number"),
            Self::Bool => formatter.write_str("bool"),
            Self::List(inner) => write!(formatter, "list({inner})"),
            Self::Set(inner) => write!(formatter, "set({inner})"),
            Self::Map(inner) => write!(formatter, "map({inner})"),
            Self::Tuple(types) => {
                let types: Vec<String> = types.iter().map(Self::to_string).collect();
                write!(formatter, "tuple([{}])", types.join(", "))
            }
            Self::Object(attributes) => {
                let attributes: Vec<String> = attributes
                    .iter()
                    .map(|(name, attribute)| {
                        if attribute.is_optional {
                            format!("{name} = optional({})", attribute.holds)
                        } else {
                            format!("{name} = {}", attribute.holds)
                        }
                    })
                    .collect();
                write!(formatter, "object({{{}}})", attributes.join(", "))
            }
        }
    }
}
