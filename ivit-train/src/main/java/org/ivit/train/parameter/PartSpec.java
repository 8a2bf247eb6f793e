package org.ivit.train.parameter;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Node;
import org.ivit.core.architecture.Parameter;
import org.ivit.core.architecture.Part;

/**
 * What training needs to know of a part of a network: what it is, what feeds it, how often it is
 * dropped. Operators, layers and device read the same.
 *
 * @param part sizes and options
 * @param input the node that feeds it; null for the pixels
 * @param block its number among the blocks, from 0; 0 for other parts
 * @param dropPath rate of its stochastic depth; 0 for other parts
 */
public record PartSpec(Part part, Node input, int block, double dropPath) {
  /** A part without stochastic depth. */
  public PartSpec(Part part, Node input) {
    this(part, input, 0, 0);
  }

  /**
   * The parts of a network in order.
   *
   * @param stochasticDepth rate of the last block; it grows linearly from 0 at the first
   */
  public static List<PartSpec> of(Architecture architecture, double stochasticDepth) {
    int depth = architecture.blocks().size();
    List<PartSpec> specs = new ArrayList<>();
    Node input = null;
    int block = 0;
    for (Part part : architecture.parts()) {
      if (part instanceof Block) {
        double rate = depth == 1 ? 0 : stochasticDepth * block / (double) (depth - 1);
        specs.add(new PartSpec(part, input, block++, rate));
      } else {
        specs.add(new PartSpec(part, input));
      }
      input = part.output();
    }
    return specs;
  }

  /** What its parameters' timm names begin with. */
  public String prefix() {
    return part.prefix();
  }

  /** The name of a node or parameter within the part. */
  public String local(String fullName) {
    return fullName.substring(prefix().length());
  }

  /** Numbers that it makes of a picture. */
  public int outputs() {
    return part.outputTokens() * part.outputDim();
  }

  /**
   * Its learned parameters, under their names within the part: leading tokens one after the other,
   * as they go into the stream, then the others.
   */
  public ParameterLayout parameters() {
    ParameterLayout layout = new ParameterLayout();
    part.parameters().stream()
        .sorted(Comparator.comparing(parameter -> parameter.role() != Parameter.Role.TOKEN))
        .forEach(
            parameter ->
                layout.add(
                    local(parameter.name()),
                    ParameterKind.of(parameter.role()),
                    parameter.shapeArray()));
    return layout;
  }
}
