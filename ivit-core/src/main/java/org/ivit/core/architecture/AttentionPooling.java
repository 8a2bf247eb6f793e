package org.ivit.core.architecture;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import org.ivit.core.arithmetic.Activation;

/**
 * SigLIP's attention pooling: the final norm of all tokens, attention of one learned query to them,
 * a projection, then norm, MLP and residual addition on the one token that is left.
 *
 * <p>The query is a constant, so the scores are a product of {@code dim} to {@code heads} channels:
 * its weights are q·W_k/√d of each head, its bias q·b_k/√d, with q = W_q·latent + b_q.
 *
 * @param tokens tokens of a picture
 * @param dim channels of a token, a multiple of {@code heads}
 * @param heads attention heads
 * @param hidden channels between the two linear layers of the MLP
 * @param activation of the MLP; null for GELU
 * @param epsilon what is added to the variance in the float model's norms
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record AttentionPooling(
    int tokens, int dim, int heads, int hidden, Activation activation, double epsilon)
    implements Part {
  private static final String NAME = "attn_pool";
  private static final String NORM = "norm";

  /**
   * Checks the sizes.
   *
   * @throws org.ivit.core.InputException naming the first that is out of range or does not divide
   */
  public AttentionPooling {
    SizeChecks check = new SizeChecks(NAME);
    check.rowOfScores("has", tokens);
    check.inRange("dim", dim);
    check.inRange("heads", heads);
    check.inRange("hidden", hidden);
    check.multiple("dim", dim, "heads", heads);
    check.epsilon(epsilon);
  }

  /** Channels of a head. */
  public int headDim() {
    return dim / heads;
  }

  /** The activation function of the MLP. */
  public Activation function() {
    return activation == null ? Activation.GELU : activation;
  }

  private static Node node(String local, NodeKind kind) {
    return new Node(NAME + "." + local, kind);
  }

  /** The norm of all tokens. */
  public Node norm() {
    return new Node(NORM, NodeKind.NORM);
  }

  /** The product that gives the scores, [heads] a token. */
  public LinearSpec scoresLinear() {
    Node scores = node("scores", NodeKind.SCORES);
    return new LinearSpec(scores.name(), scores, norm(), dim, heads, true);
  }

  /** The product that gives the values. */
  public LinearSpec valuesLinear() {
    Node values = node("v", NodeKind.QKV);
    return new LinearSpec(values.name(), values, norm(), dim, dim, true);
  }

  /** Full name of the probabilities, which have no range. */
  public String softmax() {
    return NAME + ".softmax";
  }

  /** Values weighted by probabilities. */
  public Node context() {
    return node("context", NodeKind.CONTEXT);
  }

  /** The projection of the context: the first codes of the pooled token. */
  public LinearSpec projLinear() {
    Node proj = node("proj", NodeKind.BRANCH);
    return new LinearSpec(proj.name(), proj, context(), dim, dim, true);
  }

  /** The norm before the MLP. */
  public Node norm2() {
    return node("norm", NodeKind.NORM);
  }

  private MlpSpec mlp() {
    return new MlpSpec(NAME + ".mlp", dim, hidden, function(), norm2());
  }

  /** The first product of the MLP. */
  public LinearSpec fc1Linear() {
    return mlp().fc1();
  }

  /** The activation function of the MLP. */
  public ActivationSpec act() {
    return mlp().activation();
  }

  /** The second product of the MLP. */
  public LinearSpec fc2Linear() {
    return mlp().fc2();
  }

  /** The token after the MLP. */
  public Node residual() {
    return node("residual", NodeKind.RESIDUAL);
  }

  @Override
  public List<Parameter> parameters() {
    return new Parameters()
        .norm(norm().name(), dim)
        .linear(scoresLinear())
        .linear(valuesLinear())
        .linear(projLinear())
        .norm(norm2().name(), dim)
        .linear(fc1Linear())
        .linear(fc2Linear())
        .all();
  }

  @Override
  public List<Node> nodes() {
    return List.of(
        norm(),
        scoresLinear().node(),
        valuesLinear().node(),
        context(),
        projLinear().node(),
        norm2(),
        fc1Linear().node(),
        act().node(),
        fc2Linear().node(),
        residual());
  }

  @Override
  public List<LinearSpec> linears() {
    return List.of(scoresLinear(), valuesLinear(), projLinear(), fc1Linear(), fc2Linear());
  }

  @Override
  public List<ActivationSpec> activations() {
    return List.of(act());
  }

  @Override
  public Node output() {
    return residual();
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
    return 1;
  }

  @Override
  public int outputDim() {
    return dim;
  }

  @Override
  public <R> R accept(PartVisitor<R> visitor) {
    return visitor.attentionPooling(this);
  }
}
