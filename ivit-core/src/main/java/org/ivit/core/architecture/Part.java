package org.ivit.core.architecture;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.util.List;

/**
 * A link of the chain that a network is. A part is data: its sizes and options, from which its
 * parameters, nodes and products follow. What backends do with the kinds stands in their {@link
 * PartVisitor}s.
 */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "part")
@JsonSubTypes({
  @JsonSubTypes.Type(value = Stem.class, name = "stem"),
  @JsonSubTypes.Type(value = Block.class, name = "block"),
  @JsonSubTypes.Type(value = Merging.class, name = "merging"),
  @JsonSubTypes.Type(value = Norm.class, name = "norm"),
  @JsonSubTypes.Type(value = MeanPooling.class, name = "meanPooling"),
  @JsonSubTypes.Type(value = AttentionPooling.class, name = "attentionPooling"),
  @JsonSubTypes.Type(value = Head.class, name = "head")
})
public sealed interface Part
    permits Stem, Block, Merging, Norm, MeanPooling, AttentionPooling, Head {
  /** What its parameters' names begin with: its name and a dot, or nothing. */
  default String prefix() {
    return "";
  }

  /** The learned parameters by their timm names, in timm's order. */
  List<Parameter> parameters();

  /** The nodes that have a range, in order of execution. */
  List<Node> nodes();

  /** The products with weights, in order of execution. */
  List<LinearSpec> linears();

  /** The activation functions, in order of execution. */
  default List<ActivationSpec> activations() {
    return List.of();
  }

  /** The node that its output is the codes of. */
  Node output();

  /**
   * Tokens of a picture that it reads, the first ones of those before it; 0 where it reads pixels.
   */
  int readTokens();

  /** Channels of what it reads: of a token, or of a pixel. */
  int inputDim();

  /** Tokens of a picture in its output. */
  int outputTokens();

  /** Channels of a token of its output. */
  int outputDim();

  /**
   * Calls the visitor's case for this part.
   *
   * @return what it answers
   */
  <R> R accept(PartVisitor<R> visitor);
}
