//! The shape of a schema: which subschemas it puts to a value, and which to the parts of it.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::weight::Weight;

/// Keywords whose subschemas are put to the same value, as a list, as one, or by property.
const SAME_LISTS: [&str; 3] = ["allOf", "anyOf", "oneOf"];
const SAME: [&str; 4] = ["not", "if", "then", "else"];
const SAME_MAPS: [&str; 2] = ["dependentSchemas", "dependencies"];
/// Keywords that would move what a reference means.
const REFUSED: [&str; 8] = [
    "$id",
    "$anchor",
    "$dynamicRef",
    "$dynamicAnchor",
    "$recursiveRef",
    "$recursiveAnchor",
    "$vocabulary",
    "id",
];
/// The most regular expressions in a schema.
const MAX_PATTERNS: usize = 100;
/// The longest chain of subschemas that are put to the same value.
const MAX_CHAIN: usize = 48;

/// A schema as a graph of subschemas.
#[derive(Debug, Default)]
pub(super) struct Shape {
    pub(super) nodes: Vec<Node>,
    /// Nodes, each before those that it puts to the same value.
    pub(super) rank: Vec<usize>,
    /// The longest chain of subschemas that are put to the same value.
    pub(super) chain: usize,
}

/// One subschema: the subschemas that it puts to…
#[derive(Debug, Default)]
pub(super) struct Node {
    /// …the same value;
    pub(super) same: Vec<usize>,
    /// …its properties by name;
    pub(super) properties: HashMap<String, usize>,
    /// …all of its properties;
    pub(super) every_property: Vec<usize>,
    /// …the names of its properties;
    pub(super) names: Vec<usize>,
    /// …its items.
    pub(super) items: Vec<usize>,
    /// What it weighs by itself.
    pub(super) weight: Weight,
    /// It finds out for every part whether the others have looked at it.
    pub(super) unevaluated: bool,
}

impl Shape {
    pub(super) fn of(schema: &Value) -> Result<Self, String> {
        let mut builder = Builder { shape: Self::default(), places: HashMap::new(), patterns: 0 };
        // Reserved first: references may come before what they refer to.
        let root = builder.reserve();
        builder.places.insert("#".into(), root);
        let definitions = ["$defs", "definitions"];
        let named = |keyword| Some((keyword, schema.get(keyword)?.as_object()?));
        let named: Vec<_> = definitions.into_iter().filter_map(named).collect();
        for (keyword, schemas) in &named {
            for name in schemas.keys() {
                let node = builder.reserve();
                builder.places.insert(format!("#/{keyword}/{name}"), node);
            }
        }
        builder.fill(root, schema)?;
        for (keyword, schemas) in named {
            for (name, schema) in schemas {
                let node = builder.places[&format!("#/{keyword}/{name}")];
                builder.fill(node, schema)?;
            }
        }
        builder.shape.order()
    }

    /// Finds the order of nodes, the longest chain, and what has none because it goes round.
    fn order(mut self) -> Result<Self, String> {
        let mut waiting = vec![0_usize; self.nodes.len()];
        self.nodes.iter().flat_map(|node| &node.same).for_each(|node| waiting[*node] += 1);
        let mut ready: Vec<_> = (0..self.nodes.len()).filter(|node| waiting[*node] == 0).collect();
        let mut chains = vec![1_usize; self.nodes.len()];
        self.rank = vec![0; self.nodes.len()];
        let mut ranked = 0;
        while let Some(node) = ready.pop() {
            (self.rank[node], ranked) = (ranked, ranked + 1);
            self.chain = self.chain.max(chains[node]);
            for next in &self.nodes[node].same {
                chains[*next] = chains[*next].max(chains[node] + 1);
                waiting[*next] -= 1;
                if waiting[*next] == 0 {
                    ready.push(*next);
                }
            }
        }
        if ranked < self.nodes.len() {
            return Err("a $ref leads back to itself without going into the value".into());
        }
        if self.chain > MAX_CHAIN {
            return Err(format!(
                "{} subschemas in a chain for one value, {MAX_CHAIN} are allowed",
                self.chain
            ));
        }
        Ok(self)
    }
}

struct Builder {
    shape: Shape,
    places: HashMap<String, usize>,
    patterns: usize,
}

impl Builder {
    fn reserve(&mut self) -> usize {
        self.shape.nodes.push(Node::default());
        self.shape.nodes.len() - 1
    }

    fn add(&mut self, schema: &Value) -> Result<usize, String> {
        let node = self.reserve();
        self.fill(node, schema)?;
        Ok(node)
    }

    fn add_all<'a>(&mut self, schemas: impl IntoIterator<Item = &'a Value>) -> Result<Vec<usize>, String> {
        schemas.into_iter().map(|schema| self.add(schema)).collect()
    }

    fn fill(&mut self, node: usize, schema: &Value) -> Result<(), String> {
        // `true` and `false` ask for nothing; anything else is for the compiler to refuse.
        let Value::Object(schema) = schema else { return Ok(()) };
        if let Some(keyword) = REFUSED.into_iter().find(|keyword| schema.contains_key(*keyword)) {
            return Err(format!("{keyword} is not supported: refer to #/$defs/NAME"));
        }
        // Before they are weighed, which takes time.
        self.count_patterns(schema)?;
        let filled = Node {
            same: self.same(schema)?,
            properties: self.properties(schema)?,
            every_property: self.every_property(schema)?,
            names: self.add_all(schema.get("propertyNames"))?,
            items: self.items(schema)?,
            weight: Weight::of(schema)?,
            unevaluated: ["unevaluatedProperties", "unevaluatedItems"]
                .into_iter()
                .any(|k| schema.contains_key(k)),
        };
        self.shape.nodes[node] = filled;
        Ok(())
    }

    fn count_patterns(&mut self, schema: &Map<String, Value>) -> Result<(), String> {
        let by_pattern = schema.get("patternProperties").and_then(Value::as_object);
        self.patterns += by_pattern.map_or(0, Map::len) + usize::from(schema.contains_key("pattern"));
        match self.patterns {
            0..=MAX_PATTERNS => Ok(()),
            more => Err(format!("{more} patterns, {MAX_PATTERNS} are allowed")),
        }
    }

    fn same(&mut self, schema: &Map<String, Value>) -> Result<Vec<usize>, String> {
        let lists = SAME_LISTS.into_iter().filter_map(|keyword| schema.get(keyword)?.as_array()).flatten();
        let ones = SAME.into_iter().filter_map(|keyword| schema.get(keyword));
        let maps = SAME_MAPS.into_iter().filter_map(|keyword| schema.get(keyword)?.as_object());
        let mut same = self.add_all(lists.chain(ones).chain(maps.flat_map(|map| map.values())))?;
        if let Some(reference) = schema.get("$ref") {
            let place = reference.as_str().unwrap_or_default();
            let target = self.places.get(place).ok_or_else(|| {
                let shown = crate::job::cut(place, 200);
                format!("$ref {shown:?} is not supported: refer to # or #/$defs/NAME of the schema itself")
            })?;
            same.push(*target);
        }
        Ok(same)
    }

    fn properties(&mut self, schema: &Map<String, Value>) -> Result<HashMap<String, usize>, String> {
        let named = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
        named.map(|(name, schema)| Ok((name.clone(), self.add(schema)?))).collect()
    }

    fn every_property(&mut self, schema: &Map<String, Value>) -> Result<Vec<usize>, String> {
        let by_pattern = schema.get("patternProperties").and_then(Value::as_object);
        let by_pattern = by_pattern.into_iter().flat_map(Map::values);
        let others = ["additionalProperties", "unevaluatedProperties"];
        self.add_all(by_pattern.chain(others.into_iter().filter_map(|keyword| schema.get(keyword))))
    }

    fn items(&mut self, schema: &Map<String, Value>) -> Result<Vec<usize>, String> {
        let keywords = ["items", "prefixItems", "additionalItems", "unevaluatedItems", "contains"];
        let mut items = Vec::new();
        for schemas in keywords.into_iter().filter_map(|keyword| schema.get(keyword)) {
            items.extend(match schemas {
                Value::Array(schemas) => self.add_all(schemas)?,
                schema => self.add_all([schema])?,
            });
        }
        Ok(items)
    }
}
