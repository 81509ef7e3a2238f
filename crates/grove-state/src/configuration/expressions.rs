//! References inside a block.

use std::collections::{BTreeMap, BTreeSet};

use hcl_edit::{
    Decor, Decorate as _, Decorated, Ident, RawString,
    expr::{
        Expression, ForCond, ForExpr, ForIntro, ObjectKeyMut, ObjectValue, ObjectValueTerminator,
        Traversal, TraversalOperator,
    },
    structure::{AttributeMut, Block, Body},
    template::StringTemplate,
    visit::{Visit, visit_for_expr},
    visit_mut::{
        VisitMut, visit_attr_mut, visit_block_mut, visit_expr_mut, visit_for_cond_mut,
        visit_for_intro_mut, visit_object_item_mut,
    },
};

use super::{Head, variable, word};
use crate::{Key, address::Step};

/// Names that a block gives to itself, or that the language has everywhere.
const OWN: [&str; 6] = ["count", "each", "path", "self", "terraform", "var"];

/// Changes the references of a block to what a part has.
pub(super) struct Rewriter<'a> {
    /// What is in the part, and under which name.
    known: &'a BTreeMap<&'a Head, &'a Head>,
    variables: &'a mut BTreeMap<String, String>,
    /// Names that a module, which is the root now, has for variables of its own.
    taken: &'a BTreeSet<String>,
    /// The key of this block, and what it was one of.
    each: Option<(Key, Option<Expression>)>,
    /// Names that `for` expressions bind.
    bound: BTreeSet<String>,
}

impl<'a> Rewriter<'a> {
    pub(super) fn new(
        known: &'a BTreeMap<&'a Head, &'a Head>,
        variables: &'a mut BTreeMap<String, String>,
        taken: &'a BTreeSet<String>,
    ) -> Self {
        Self {
            known,
            variables,
            taken,
            each: None,
            bound: BTreeSet::new(),
        }
    }

    /// The block is for one key; `each` is the collection that it was one of.
    pub(super) fn each(&mut self, key: &Key, each: Option<Expression>) {
        self.each = Some((key.clone(), each));
    }

    pub(super) fn body(&mut self, body: &mut Body) {
        let mut bound = Bound(BTreeSet::new());
        bound.visit_body(body);
        self.bound = bound.0;
        self.visit_body_mut(body);
    }

    /// What takes the place of a reference; nothing where it stays.
    fn instead(&mut self, traversal: &Traversal) -> Option<Expression> {
        let Expression::Variable(root) = &traversal.expr else {
            return None;
        };
        let root = root.as_str();
        if let ("each" | "count", Some((key, each))) = (root, &self.each) {
            return own_key(traversal, key, each.as_ref());
        }
        if root == "var" {
            let name = attribute(traversal, 0)?;
            let own = self.named(name.clone(), format!("var.{name}"));
            return (own != name).then(|| followed(variable(&own), &traversal.operators[1..]));
        }
        if OWN.contains(&root) || self.bound.contains(root) {
            return None;
        }
        let mut steps = 0;
        let next = |steps: &mut usize| {
            let name = attribute(traversal, *steps)?;
            *steps += 1;
            Some(name)
        };
        let mut head = match root {
            "local" => {
                let name = next(&mut steps)?;
                return Some(self.outside(traversal, steps, &[&name]));
            }
            "module" => Head::Module(Step {
                name: next(&mut steps)?,
                key: None,
            }),
            "data" => Head::Resource {
                is_data: true,
                kind: next(&mut steps)?,
                name: next(&mut steps)?,
                key: None,
            },
            kind => Head::Resource {
                is_data: false,
                kind: kind.to_owned(),
                name: next(&mut steps)?,
                key: None,
            },
        };
        let key = literal(traversal.operators.get(steps).map(Decorated::value));
        if let Some(key) = &key {
            match &mut head {
                Head::Module(step) => step.key = Some(key.clone()),
                Head::Resource { key: place, .. } => *place = Some(key.clone()),
            }
            steps += 1;
        }
        if let Some(to) = self.known.get(&head) {
            return Some(inside(to, traversal, steps));
        }
        let name = match &head {
            Head::Module(step) => step.name.clone(),
            Head::Resource { name, .. } => name.clone(),
        };
        let key = match key {
            Some(Key::Text(key)) => word(&key),
            Some(Key::Number(key)) => key.to_string(),
            None => String::new(),
        };
        // One attribute is asked for, not all of them: the rest may be secret.
        let attribute = attribute(traversal, steps);
        steps += usize::from(attribute.is_some());
        let attribute = attribute.unwrap_or_default();
        Some(self.outside(traversal, steps, &[&name, &key, &attribute]))
    }

    /// A variable in place of the first steps of a reference.
    fn outside(&mut self, traversal: &Traversal, steps: usize, words: &[&str]) -> Expression {
        let head = Traversal::new(
            traversal.expr.clone(),
            traversal.operators[..steps].to_vec(),
        );
        let expression = Expression::from(head).to_string().trim().to_owned();
        let words: Vec<&str> = words
            .iter()
            .copied()
            .filter(|word| !word.is_empty())
            .collect();
        let name = self.named(word(&words.join("_")), expression);
        followed(variable(&name), &traversal.operators[steps..])
    }

    /// The name of the variable for an expression: the wanted one, unless something else has it.
    fn named(&mut self, mut name: String, expression: String) -> String {
        while self.taken.contains(&name)
            || self
                .variables
                .get(&name)
                .is_some_and(|known| *known != expression)
        {
            name.push('_');
        }
        self.variables.insert(name.clone(), expression);
        name
    }
}

impl VisitMut for Rewriter<'_> {
    fn visit_expr_mut(&mut self, node: &mut Expression) {
        // Keys inside brackets first: `module.a[each.key]` names one thing then.
        visit_expr_mut(self, node);
        if let Expression::Traversal(traversal) = node
            && let Some(mut instead) = self.instead(traversal)
        {
            *instead.decor_mut() = node.decor().clone();
            *node = instead;
        }
    }

    fn visit_attr_mut(&mut self, mut node: AttributeMut) {
        match node.get().key.as_str() {
            // Names of configurations of providers, not values.
            "provider" | "providers" => {}
            "depends_on" => {
                if let Expression::Array(list) = node.value_mut() {
                    let kept: Vec<Expression> =
                        list.iter().filter_map(|one| self.dependency(one)).collect();
                    *node.value_mut() = Expression::from_iter(kept);
                }
            }
            _ => visit_attr_mut(self, node),
        }
    }

    fn visit_block_mut(&mut self, node: &mut Block) {
        // `ignore_changes` names attributes.
        if node.ident.as_str() != "lifecycle" {
            visit_block_mut(self, node);
        }
    }
}

impl Rewriter<'_> {
    /// A dependency that the part has; the others have become inputs.
    fn dependency(&self, expression: &Expression) -> Option<Expression> {
        let text = expression.to_string();
        let (from, to) = self.known.iter().find(|(from, _)| {
            let bare = from.to_string();
            let bare = bare.split('[').next().unwrap_or_default();
            text.trim() == bare
        })?;
        let bare = to.to_string();
        let parsed: Expression = bare.split('[').next()?.parse().ok()?;
        (from.key().is_none() || to.key().is_none()).then_some(parsed)
    }
}

/// An expression of a block for one key, outside of it and on one line, as a console reads it.
pub(super) fn alone(
    expression: &Expression,
    key: Option<&Key>,
    each: Option<&Expression>,
) -> String {
    let mut expression = expression.clone();
    Alone { key, each }.visit_expr_mut(&mut expression);
    expression.to_string()
}

/// Blanks in place of line breaks and comments.
fn on_one_line(decor: &mut Decor) {
    let is_long = |text: &RawString| text.contains(['\n', '#', '/']);
    if decor.prefix().is_some_and(is_long) {
        decor.set_prefix(" ");
    }
    if decor.suffix().is_some_and(is_long) {
        decor.set_suffix(" ");
    }
}

struct Alone<'a> {
    key: Option<&'a Key>,
    each: Option<&'a Expression>,
}

impl VisitMut for Alone<'_> {
    fn visit_expr_mut(&mut self, node: &mut Expression) {
        visit_expr_mut(self, node);
        on_one_line(node.decor_mut());
        match node {
            Expression::Traversal(traversal) => {
                if let Expression::Variable(root) = &traversal.expr
                    && matches!(root.as_str(), "each" | "count")
                    && let Some(key) = self.key
                    && let Some(instead) = own_key(traversal, key, self.each)
                {
                    *node = instead;
                }
            }
            Expression::Array(list) => {
                list.set_trailing("");
                list.set_trailing_comma(false);
            }
            Expression::Object(object) => object.set_trailing(""),
            Expression::FuncCall(call) => {
                call.args.set_trailing("");
                call.args.set_trailing_comma(false);
            }
            Expression::HeredocTemplate(heredoc) => {
                let elements = heredoc.template.iter().cloned();
                *node = Expression::from(elements.collect::<StringTemplate>());
            }
            _ => {}
        }
    }

    fn visit_for_intro_mut(&mut self, node: &mut ForIntro) {
        on_one_line(node.decor_mut());
        visit_for_intro_mut(self, node);
    }

    fn visit_for_cond_mut(&mut self, node: &mut ForCond) {
        on_one_line(node.decor_mut());
        visit_for_cond_mut(self, node);
    }

    fn visit_object_item_mut(&mut self, mut key: ObjectKeyMut, value: &mut ObjectValue) {
        on_one_line(key.decor_mut());
        value.set_terminator(ObjectValueTerminator::Comma);
        visit_object_item_mut(self, key, value);
    }
}

/// Names that `for` expressions bind, wherever they stand.
struct Bound(BTreeSet<String>);

impl Visit for Bound {
    fn visit_for_expr(&mut self, node: &ForExpr) {
        let key = node.intro.key_var.iter().map(|name| name.as_str());
        for name in key.chain([node.intro.value_var.as_str()]) {
            self.0.insert(name.to_owned());
        }
        visit_for_expr(self, node);
    }
}

/// `each.key`, `each.value` and `count.index` of one key.
fn own_key(traversal: &Traversal, key: &Key, each: Option<&Expression>) -> Option<Expression> {
    let rest = traversal.operators.get(1..)?;
    let literal = match key {
        Key::Text(text) => Expression::from(text.as_str()),
        Key::Number(number) => Expression::from(*number),
    };
    match attribute(traversal, 0)?.as_str() {
        "key" | "index" => Some(followed(literal, rest)),
        "value" => {
            let collection = each?;
            let is_set = matches!(collection, Expression::FuncCall(call) if call.name.name.as_str() == "toset");
            if is_set {
                return Some(followed(literal, rest));
            }
            let mut collection = collection.clone();
            collection.decor_mut().clear();
            let index = Decorated::new(TraversalOperator::Index(literal));
            let mut operators = match collection {
                // It is made longer, so that it stays one reference.
                Expression::Traversal(inner) => {
                    let inner = *inner;
                    collection = inner.expr;
                    inner.operators
                }
                other => {
                    collection = Expression::from(hcl_edit::expr::Parenthesis::new(other));
                    Vec::new()
                }
            };
            operators.push(index);
            operators.extend(rest.iter().cloned());
            Some(Expression::from(Traversal::new(collection, operators)))
        }
        _ => None,
    }
}

/// A reference to something that the part has, by its name there.
fn inside(to: &Head, traversal: &Traversal, steps: usize) -> Expression {
    let names: Vec<&str> = match to {
        Head::Module(step) => vec!["module", &step.name],
        Head::Resource {
            is_data: true,
            kind,
            name,
            ..
        } => vec!["data", kind, name],
        Head::Resource { kind, name, .. } => vec![kind, name],
    };
    let mut operators: Vec<Decorated<TraversalOperator>> = names[1..]
        .iter()
        .map(|name| {
            Decorated::new(TraversalOperator::GetAttr(Decorated::new(
                Ident::new_sanitized(*name),
            )))
        })
        .collect();
    if let Some(key) = to.key() {
        let key = match key {
            Key::Text(text) => Expression::from(text.as_str()),
            Key::Number(number) => Expression::from(*number),
        };
        operators.push(Decorated::new(TraversalOperator::Index(key)));
    }
    operators.extend(traversal.operators[steps..].iter().cloned());
    Expression::from(Traversal::new(Ident::new_sanitized(names[0]), operators))
}

/// An expression with more steps behind it.
fn followed(expression: Expression, rest: &[Decorated<TraversalOperator>]) -> Expression {
    if rest.is_empty() {
        return expression;
    }
    match expression {
        Expression::Traversal(inner) => {
            let mut inner = *inner;
            inner.operators.extend(rest.iter().cloned());
            Expression::from(inner)
        }
        other => Expression::from(Traversal::new(other, rest.to_vec())),
    }
}

/// The name of a step that asks for an attribute.
fn attribute(traversal: &Traversal, step: usize) -> Option<String> {
    match traversal.operators.get(step)?.value() {
        TraversalOperator::GetAttr(name) => Some(name.as_str().to_owned()),
        _ => None,
    }
}

/// The key of a step that asks for one.
fn literal(operator: Option<&TraversalOperator>) -> Option<Key> {
    match operator? {
        TraversalOperator::Index(Expression::String(text)) => Some(Key::Text(text.value().clone())),
        TraversalOperator::Index(Expression::Number(number)) => {
            Some(Key::Number(number.value().as_i64()?))
        }
        TraversalOperator::LegacyIndex(number) => {
            Some(Key::Number(i64::try_from(*number.value()).ok()?))
        }
        _ => None,
    }
}
