package org.ivit.core.architecture;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.ArrayList;
import java.util.List;
import org.ivit.core.architecture.Parameter.Role;
import org.ivit.core.arithmetic.Activation;

/**
 * A transformer block: norm, attention, residual addition, norm, MLP, residual addition.
 *
 * @param name prefix of its nodes and parameters, such as {@code blocks.3} or {@code
 *     layers.0.blocks.1}
 * @param dim channels of a token, a multiple of {@code heads}
 * @param heads attention heads
 * @param hidden channels between the two linear layers of the MLP
 * @param tokens tokens of a picture
 * @param windows within which its tokens attend, with a relative position bias; null where all
 *     tokens of a picture do, without one
 * @param rotary how queries and keys are turned; null where they are not
 * @param activation of a plain MLP; null for GELU
 * @param mlp what the MLP is; null for {@link MlpForm#PLAIN}
 * @param epsilon what is added to the variance in the float model's norms
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Block(
    String name,
    int dim,
    int heads,
    int hidden,
    int tokens,
    Windows windows,
    Rotary rotary,
    Activation activation,
    MlpForm mlp,
    double epsilon)
    implements Part {
  /**
   * Checks the sizes.
   *
   * @throws org.ivit.core.InputException naming the first that is out of range or does not divide
   */
  public Block {
    SizeChecks check = new SizeChecks(name);
    check.inRange("dim", dim);
    check.inRange("heads", heads);
    check.inRange("hidden", hidden);
    check.multiple("dim", dim, "heads", heads);
    check.epsilon(epsilon);
    check.rowOfScores("has", windows == null ? tokens : windows.tokens());
    if (windows != null && tokens != windows.count() * windows.tokens()) {
      throw check.refused(
          "has %d tokens, expected those of its windows, %d"
              .formatted(tokens, windows.count() * windows.tokens()));
    }
    if (rotary != null) {
      if (windows != null) {
        throw check.refused("windows and rotary positions, expected one of them");
      }
      rotary.check(check, dim / heads, tokens);
    }
    if (activation != null && mlp != null && mlp.gated()) {
      throw check.refused(
          "activation %s in an MLP that is %s, which has silu"
              .formatted(activation.key(), mlp.key()));
    }
  }

  /** A block with GELU; parameters as those of the record. */
  public Block(
      String name, int dim, int heads, int hidden, int tokens, Windows windows, double epsilon) {
    this(name, dim, heads, hidden, tokens, windows, null, null, null, epsilon);
  }

  /** Whether its MLP is gated. */
  public boolean gated() {
    return mlp != null && mlp.gated();
  }

  /** Whether a norm follows the gated values. */
  public boolean gatedNorm() {
    return mlp == MlpForm.SWIGLU_NORM;
  }

  private MlpSpec plainMlp() {
    Activation function = activation == null ? Activation.GELU : activation;
    return new MlpSpec(name + ".mlp", dim, hidden, function, norm2());
  }

  /** Channels of a head. */
  public int headDim() {
    return dim / heads;
  }

  /** Groups of tokens of a picture that attend to each other: its windows, or one. */
  public int groups() {
    return windows == null ? 1 : windows.count();
  }

  /** Whether its attention takes tokens in the order of the picture. */
  public boolean inOrder() {
    return windows == null || windows.inOrder();
  }

  /** Tokens of a group: the length of a row of scores. */
  public int rowTokens() {
    return tokens / groups();
  }

  /**
   * The full name of a node or parameter.
   *
   * @param local name within the block, such as {@code attn.qkv}
   */
  public String node(String local) {
    return name + "." + local;
  }

  private Node node(String local, NodeKind kind) {
    return new Node(node(local), kind);
  }

  /** The norm before the attention. */
  public Node norm1() {
    return node("norm1", NodeKind.NORM);
  }

  /** Queries, keys and values, before they are turned. */
  public Node qkv() {
    return node("attn.qkv", rotary == null ? NodeKind.QKV : NodeKind.UNROTATED);
  }

  /** Queries and keys turned by rotary positions, and values, where there are any. */
  public Node rope() {
    return node("attn.rope", NodeKind.ROTATED);
  }

  /** The queries, keys and values that attention reads. */
  public Node attended() {
    return rotary == null ? qkv() : rope();
  }

  /** Products of queries and keys. */
  public Node scores() {
    return node("attn.scores", NodeKind.SCORES);
  }

  /** The scores with their relative position bias, in a block with windows. */
  public Node biased() {
    return node("attn.biased", NodeKind.BIASED_SCORES);
  }

  /** Values weighted by probabilities. */
  public Node context() {
    return node("attn.context", NodeKind.CONTEXT);
  }

  /** The projection of the context. */
  public Node proj() {
    return node("attn.proj", NodeKind.BRANCH);
  }

  /** The stream after the attention. */
  public Node residual1() {
    return node("residual1", NodeKind.RESIDUAL);
  }

  /** The norm before the MLP. */
  public Node norm2() {
    return node("norm2", NodeKind.NORM);
  }

  /** The first product of the MLP. */
  public Node fc1() {
    return fc1Linear().node();
  }

  /** The activation function, or the gated values. */
  public Node act() {
    if (gated()) {
      return node("mlp.act", gatedNorm() ? NodeKind.GATED_STREAM : NodeKind.GATED);
    }
    return plainMlp().activation().node();
  }

  /** The norm of gated values, where there is one. */
  public Node mlpNorm() {
    return node("mlp.norm", NodeKind.NORM);
  }

  /** The second product of the MLP. */
  public Node fc2() {
    return fc2Linear().node();
  }

  /** The stream after the MLP. */
  public Node residual2() {
    return node("residual2", NodeKind.RESIDUAL);
  }

  /** Full name of the probabilities, which have no range. */
  public String softmax() {
    return node("attn.softmax");
  }

  /** Full name of the relative position table, in a block with windows; it has no range. */
  public String positionTable() {
    return node("attn.relative_position_bias_table");
  }

  private LinearSpec linear(Node node, Node input, int inputs, int outputs) {
    return new LinearSpec(node.name(), node, input, inputs, outputs, true);
  }

  /** The product of queries, keys and values. */
  public LinearSpec qkvLinear() {
    return linear(qkv(), norm1(), dim, 3 * dim);
  }

  /** The product of the projection. */
  public LinearSpec projLinear() {
    return linear(proj(), context(), dim, dim);
  }

  /** The first product of the MLP; the gate of a gated one. */
  public LinearSpec fc1Linear() {
    return gated()
        ? linear(node("mlp.fc1_g", NodeKind.GATE), norm2(), dim, hidden)
        : plainMlp().fc1();
  }

  /** The product that a gated MLP gates. */
  public LinearSpec valueLinear() {
    return linear(node("mlp.fc1_x", NodeKind.VALUE), norm2(), dim, hidden);
  }

  /** The last product of the MLP. */
  public LinearSpec fc2Linear() {
    return gated()
        ? linear(node("mlp.fc2", NodeKind.BRANCH), gatedNorm() ? mlpNorm() : act(), hidden, dim)
        : plainMlp().fc2();
  }

  @Override
  public String prefix() {
    return name + ".";
  }

  @Override
  public List<Parameter> parameters() {
    Parameters all = new Parameters().norm(norm1().name(), dim);
    if (windows != null) {
      all.add(positionTable(), Role.POSITION, windows.relativePositions(), heads);
    }
    all.linear(qkvLinear()).linear(projLinear()).norm(norm2().name(), dim).linear(fc1Linear());
    if (gated()) {
      all.linear(valueLinear());
    }
    if (gatedNorm()) {
      all.norm(mlpNorm().name(), hidden);
    }
    return all.linear(fc2Linear()).all();
  }

  @Override
  public List<Node> nodes() {
    List<Node> nodes = new ArrayList<>(List.of(norm1(), qkv()));
    if (rotary != null) {
      nodes.add(rope());
    }
    nodes.add(scores());
    if (windows != null) {
      nodes.add(biased());
    }
    nodes.addAll(List.of(context(), proj(), residual1(), norm2(), fc1()));
    if (gated()) {
      nodes.add(valueLinear().node());
    }
    nodes.add(act());
    if (gatedNorm()) {
      nodes.add(mlpNorm());
    }
    nodes.addAll(List.of(fc2(), residual2()));
    return nodes;
  }

  /** Queries, keys and values, projection, the first products of the MLP, its last. */
  @Override
  public List<LinearSpec> linears() {
    return gated()
        ? List.of(qkvLinear(), projLinear(), fc1Linear(), valueLinear(), fc2Linear())
        : List.of(qkvLinear(), projLinear(), fc1Linear(), fc2Linear());
  }

  @Override
  public List<ActivationSpec> activations() {
    return gated() ? List.of() : List.of(plainMlp().activation());
  }

  @Override
  public Node output() {
    return residual2();
  }

  @Override
  public int readTokens() {
    return tokens;
  }

  @Override
  public int inputDim() {
    return dim;
  }

  @Override
  public int outputTokens() {
    return tokens;
  }

  @Override
  public int outputDim() {
    return dim;
  }

  @Override
  public <R> R accept(PartVisitor<R> visitor) {
    return visitor.block(this);
  }
}
