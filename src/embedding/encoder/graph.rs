//! Builds the encoder's graph in memory with ONNX Runtime's model editor.
//!
//! The graph takes the sum of a text's embeddings, `[1, tokens, hidden]`, and gives the last layer's states
//! of the same shape. A text runs alone, so there is no mask; a graph for accelerators takes several texts, and
//! padding is masked by what is added to attention scores. It is faster than the graphs that exporters
//! write, because attention and GELU are the runtime's fused operators, and because `InstanceNormalization`
//! over `[1, tokens, hidden]` normalises each token like `LayerNormalization`, with a faster kernel.

use std::fmt::Debug;

use ort::{
    editor::{Graph, Model, Node, ONNX_DOMAIN, Opset},
    memory::Allocator,
    operator::Attribute,
    value::{
        Outlet, PrimitiveTensorElementType, Shape, SymbolicDimensions, Tensor, TensorElementType, ValueType,
    },
};

use super::{
    architecture::Dimensions,
    layer::{Layer, LayerNorm, Linear},
    quantisation::{BLOCK, BlockQuantisedWeight, QuantisedWeight},
};

/// Name of the input: embeddings, `[1, tokens, hidden]`.
pub(super) const EMBEDDINGS: &str = "embeddings";
/// Name of the input of models with relative positions, and of graphs for several texts: what is added to attention
/// scores, `[texts, heads, tokens, tokens]`.
pub(super) const ATTENTION_BIAS: &str = "attention_bias";
/// Name of the output: the last layer's states, `[1, tokens, hidden]`.
pub(super) const STATES: &str = "states";

/// Fused operators that are no part of the ONNX standard.
const RUNTIME_DOMAIN: &str = "com.microsoft";
const ONNX_VERSION: u32 = 21;
const RUNTIME_VERSION: u32 = 1;

/// How a graph multiplies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::embedding) enum Products {
    Fp32,
    /// 8-bit integers, inputs with one scale per text and product.
    Int8,
    /// The same, but the second product of the feed-forward block with scales per token and block.
    Int8AndBlocks,
}

/// What a graph takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct GraphInputs {
    /// Whether something is added to attention scores.
    pub attention_bias: bool,
    /// Whether several texts are run together.
    pub several_texts: bool,
}

/// A graph under construction. Nodes and their outputs share their names.
pub(super) struct EncoderGraph {
    graph: Graph,
    dimensions: Dimensions,
    products: Products,
    inputs: GraphInputs,
    layers: usize,
    /// The output of what is built so far.
    states: String,
}

impl GraphInputs {
    /// How many texts run together, in a shape.
    fn texts(self) -> i64 {
        if self.several_texts { -1 } else { 1 }
    }
}

impl EncoderGraph {
    /// Starts a graph with the normalisation of the embeddings.
    pub fn new(
        dimensions: Dimensions,
        products: Products,
        inputs: GraphInputs,
        norm: &LayerNorm,
    ) -> ort::Result<Self> {
        let mut graph = Graph::new()?;
        let texts = inputs.texts();
        let mut tensors = vec![float_tensor(EMBEDDINGS, &[texts, -1, dimensions.hidden as i64])];
        if inputs.attention_bias {
            tensors.push(float_tensor(ATTENTION_BIAS, &[texts, -1, -1, -1]));
        }
        graph.set_inputs(tensors)?;
        let mut graph = Self { graph, dimensions, products, inputs, layers: 0, states: String::new() };
        // `InstanceNormalization` wants a scale and a shift per token: ones and zeros, as many as there are
        // tokens.
        let range = [Attribute::new("start", 1_i64)?, Attribute::new("end", 2_i64)?];
        let tokens = graph.node("Shape", "tokens", &[EMBEDDINGS], range)?;
        for (name, value) in [("ones", 1.0_f32), ("zeros", 0.0)] {
            let value = graph.constant(&format!("{name}.value"), &[1], &[value])?;
            graph.node("Expand", name, &[&value, &tokens], [])?;
        }
        graph.states = graph.normalise("embeddings.norm", EMBEDDINGS, norm)?;
        Ok(graph)
    }

    /// Appends a layer.
    pub fn add(&mut self, layer: &Layer) -> ort::Result<()> {
        let name = |part: &str| format!("layer.{}.{part}", self.layers);
        let [attention, attention_output, attention_norm] =
            ["attention", "attention.output", "attention.norm"].map(name);
        let [up, gelu, down, norm] =
            ["feed_forward.up", "feed_forward.gelu", "feed_forward.down", "norm"].map(name);
        let input = self.states.clone();

        let context = self.attend(&attention, &input, &layer.query_key_value)?;
        let output = self.linear(&attention_output, &context, &layer.attention_output)?;
        let sum = self.node("Add", &format!("{attention_output}.residual"), &[&output, &input], [])?;
        let attended = self.normalise(&attention_norm, &sum, &layer.attention_norm)?;

        let product = self.product(&up, &attended, &layer.feed_forward_up, None)?;
        let bias = self.bias(&up, &layer.feed_forward_up)?;
        let activated = self.runtime_node("BiasGelu", &gelu, &[&product, &bias], [])?;
        let output = match self.products {
            Products::Int8AndBlocks => self.linear_in_blocks(&down, &activated, &layer.feed_forward_down)?,
            Products::Fp32 | Products::Int8 => self.linear(&down, &activated, &layer.feed_forward_down)?,
        };
        let sum = self.node("Add", &format!("{down}.residual"), &[&output, &attended], [])?;
        self.states = self.normalise(&norm, &sum, &layer.feed_forward_norm)?;
        self.layers += 1;
        Ok(())
    }

    /// Closes the graph.
    pub fn finish(mut self) -> ort::Result<Model> {
        let states = std::mem::take(&mut self.states);
        self.node("Identity", STATES, &[&states], [])?;
        let hidden = self.dimensions.hidden as i64;
        self.graph.set_outputs([float_tensor(STATES, &[self.inputs.texts(), -1, hidden])])?;
        let mut model = Model::new([
            Opset::new(ONNX_DOMAIN, ONNX_VERSION)?,
            Opset::new(RUNTIME_DOMAIN, RUNTIME_VERSION)?,
        ])?;
        model.set_graph(self.graph)?;
        Ok(model)
    }

    /// Multi-head self-attention up to, and without, its output projection.
    fn attend(&mut self, name: &str, source: &str, linear: &Linear) -> ort::Result<String> {
        let heads = Attribute::new("num_heads", self.dimensions.heads as i64)?;
        if self.inputs.attention_bias {
            return self.attend_with_bias(name, source, linear, heads);
        }
        let bias = self.bias(name, linear)?;
        match self.products {
            Products::Fp32 => {
                let weight = self.weight(name, linear)?;
                self.runtime_node("Attention", name, &[source, &weight, &bias], [heads])
            }
            Products::Int8 | Products::Int8AndBlocks => {
                let [weight, scales, zeros] = self.quantised_weight(name, linear)?;
                let [input, scale, zero] =
                    ["input", "input.scale", "input.zero"].map(|part| format!("{name}.{part}"));
                let outputs = [input.as_str(), &scale, &zero];
                self.add_node("DynamicQuantizeLinear", ONNX_DOMAIN, &[source], &outputs, [])?;
                // The sixth input is a mask.
                let inputs = [&input, &weight, &bias, &scale, &scales, "", &zero, &zeros];
                self.runtime_node("QAttention", name, &inputs, [heads])
            }
        }
    }

    /// The fused `Attention` operators take no bias; this one does, but not the projections.
    fn attend_with_bias(
        &mut self,
        name: &str,
        input: &str,
        linear: &Linear,
        heads: Attribute,
    ) -> ort::Result<String> {
        let projected = self.linear(&format!("{name}.projection"), input, linear)?;
        let [query, key, value] = ["query", "key", "value"].map(|part| format!("{name}.{part}"));
        let split = [Attribute::new("axis", 2_i64)?, Attribute::new("num_outputs", 3_i64)?];
        self.add_node("Split", ONNX_DOMAIN, &[&projected], &[&query, &key, &value], split)?;
        // Between the value and the bias of the scores stand a bias of the projections and a mask.
        let inputs = [&query, &key, &value, "", "", ATTENTION_BIAS];
        self.runtime_node("MultiHeadAttention", name, &inputs, [heads])
    }

    /// `input · weight + bias`.
    fn linear(&mut self, name: &str, input: &str, linear: &Linear) -> ort::Result<String> {
        let bias = self.bias(name, linear)?;
        self.product(name, input, linear, Some(&bias))
    }

    /// `input · weight`, plus `bias` if there is one.
    fn product(
        &mut self,
        name: &str,
        input: &str,
        linear: &Linear,
        bias: Option<&str>,
    ) -> ort::Result<String> {
        match self.products {
            Products::Fp32 => {
                let weight = self.weight(name, linear)?;
                let Some(bias) = bias else {
                    return self.node("MatMul", name, &[input, &weight], []);
                };
                let product = self.node("MatMul", &format!("{name}.product"), &[input, &weight], [])?;
                self.node("Add", name, &[&product, bias], [])
            }
            Products::Int8 | Products::Int8AndBlocks => {
                let [weight, scales, zeros] = self.quantised_weight(name, linear)?;
                let mut inputs = vec![input, &weight, &scales, &zeros];
                inputs.extend(bias);
                self.runtime_node("DynamicQuantizeMatMul", name, &inputs, [])
            }
        }
    }

    /// `input · weight + bias`, in 8-bit integers with scales for each token and block of inputs.
    fn linear_in_blocks(&mut self, name: &str, input: &str, linear: &Linear) -> ort::Result<String> {
        let Linear { inputs, outputs, .. } = *linear;
        let weight = BlockQuantisedWeight::of(linear);
        let blocks = inputs.div_ceil(BLOCK);
        let values = self.constant(&format!("{name}.weight"), &[outputs, blocks, BLOCK], &weight.values)?;
        let scales = self.constant(&format!("{name}.scales"), &[outputs, blocks], &weight.scales)?;
        let attributes = [
            Attribute::new("K", inputs as i64)?,
            Attribute::new("N", outputs as i64)?,
            Attribute::new("bits", 8_i64)?,
            Attribute::new("block_size", BLOCK as i64)?,
            // The inputs are rounded to 8-bit integers too.
            Attribute::new("accuracy_level", 4_i64)?,
        ];
        let product = format!("{name}.product");
        self.runtime_node("MatMulNBits", &product, &[input, &values, &scales], attributes)?;
        let bias = self.bias(name, linear)?;
        self.node("Add", name, &[&product, &bias], [])
    }

    fn normalise(&mut self, name: &str, input: &str, norm: &LayerNorm) -> ort::Result<String> {
        let epsilon = Attribute::new("epsilon", self.dimensions.layer_norm_epsilon)?;
        let hidden = self.dimensions.hidden;
        let scale = self.constant(&format!("{name}.scale"), &[hidden], &norm.scale)?;
        let shift = self.constant(&format!("{name}.shift"), &[hidden], &norm.shift)?;
        let inputs = [input, "ones", "zeros"];
        let plain = self.node("InstanceNormalization", &format!("{name}.plain"), &inputs, [epsilon])?;
        let scaled = self.node("Mul", &format!("{name}.scaled"), &[&plain, &scale], [])?;
        self.node("Add", name, &[&scaled, &shift], [])
    }

    fn weight(&mut self, name: &str, linear: &Linear) -> ort::Result<String> {
        self.constant(&format!("{name}.weight"), &[linear.inputs, linear.outputs], &linear.transposed())
    }

    fn bias(&mut self, name: &str, linear: &Linear) -> ort::Result<String> {
        self.constant(&format!("{name}.bias"), &[linear.outputs], &linear.bias)
    }

    /// The values, scales and zero points of a weight.
    fn quantised_weight(&mut self, name: &str, linear: &Linear) -> ort::Result<[String; 3]> {
        let weight = QuantisedWeight::of(linear);
        let outputs = linear.outputs;
        Ok([
            self.constant(&format!("{name}.weight"), &[linear.inputs, outputs], &weight.values)?,
            self.constant(&format!("{name}.scales"), &[outputs], &weight.scales)?,
            self.constant(&format!("{name}.zeros"), &[outputs], &vec![0_i8; outputs])?,
        ])
    }

    /// Adds a constant tensor. It is copied, because the runtime takes only memory of its own.
    fn constant<T>(&mut self, name: &str, shape: &[usize], values: &[T]) -> ort::Result<String>
    where
        T: PrimitiveTensorElementType + Copy + Debug,
    {
        let shape: Vec<i64> = shape.iter().map(|&size| size as i64).collect();
        let mut tensor = Tensor::<T>::new(&Allocator::default(), shape)?;
        tensor.extract_tensor_mut().1.copy_from_slice(values);
        self.graph.add_initializer(name, tensor, false)?;
        Ok(name.to_owned())
    }

    fn node<const N: usize>(
        &mut self,
        operator: &str,
        name: &str,
        inputs: &[&str],
        attributes: [Attribute; N],
    ) -> ort::Result<String> {
        self.add_node(operator, ONNX_DOMAIN, inputs, &[name], attributes)
    }

    fn runtime_node<const N: usize>(
        &mut self,
        operator: &str,
        name: &str,
        inputs: &[&str],
        attributes: [Attribute; N],
    ) -> ort::Result<String> {
        self.add_node(operator, RUNTIME_DOMAIN, inputs, &[name], attributes)
    }

    /// Adds a node, named like its first output, and gives that name back.
    fn add_node<const N: usize>(
        &mut self,
        operator: &str,
        domain: &str,
        inputs: &[&str],
        outputs: &[&str],
        attributes: [Attribute; N],
    ) -> ort::Result<String> {
        let name = outputs[0];
        self.graph.add_node(Node::new(operator, domain, name, inputs, outputs, attributes)?)?;
        Ok(name.to_owned())
    }
}

/// An input or output of the graph; -1 stands for a size that differs from text to text.
fn float_tensor(name: &str, shape: &[i64]) -> Outlet {
    let dtype = ValueType::Tensor {
        ty: TensorElementType::Float32,
        shape: Shape::new(shape.iter().copied()),
        dimension_symbols: SymbolicDimensions::empty(shape.len()),
    };
    Outlet::new(name, dtype)
}
