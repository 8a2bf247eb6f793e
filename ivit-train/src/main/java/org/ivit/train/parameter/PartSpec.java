package org.ivit.train.parameter;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Node;
import org.ivit.core.architecture.Norm;
import org.ivit.core.architecture.Parameter;
import org.ivit.core.architecture.Part;

/**
 * What training needs to know of a part of a network: what it is, what feeds it, how often it is
 * dropped. Operators, layers and device read the same.
 *
 * @param part sizes and options
 * @param input the node that feeds it; null for the pixels
 * @param inputTokens tokens of a picture in what feeds a norm that reads the first of them alone;
 *     null for other parts, whose own sizes say it
 * @param block its number among the blocks, from 0; 0 for other parts
 * @param dropPath rate of its stochastic depth; 0 for other parts
 * @param grids forms of the grids of weights of fewer bits, by the weight's name within the part
 */
public record PartSpec(
    Part part,
    Node input,
    @JsonInclude(JsonInclude.Include.NON_NULL) Integer inputTokens,
    int block,
    double dropPath,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) Map<String, GridForm> grids) {
  /** Without a word of grids there are none. */
  public PartSpec {
    grids = grids == null ? Map.of() : grids;
  }

  /** A part that reads all tokens before it, without stochastic depth. */
  public PartSpec(Part part, Node input) {
    this(part, input, null, 0, 0, Map.of());
  }

  /**
   * The parts of a network in order.
   *
   * @param stochasticDepth rate of the last block; it grows linearly from 0 at the first
   */
  public static List<PartSpec> of(Architecture architecture, double stochasticDepth) {
    return of(architecture, stochasticDepth, Map.of());
  }

  /**
   * The parts of a network in order.
   *
   * @param stochasticDepth rate of the last block; it grows linearly from 0 at the first
   * @param grids forms of the grids of weights of fewer bits, by name of the weight
   */
  public static List<PartSpec> of(
      Architecture architecture, double stochasticDepth, Map<String, GridForm> grids) {
    int depth = architecture.blocks().size();
    List<PartSpec> specs = new ArrayList<>();
    Part before = null;
    int block = 0;
    for (Part part : architecture.parts()) {
      Node input = before == null ? null : before.output();
      if (part instanceof Block) {
        double rate = depth == 1 ? 0 : stochasticDepth * block / (double) (depth - 1);
        specs.add(new PartSpec(part, input, null, block++, rate, own(part, grids)));
      } else if (part instanceof Norm norm && norm.tokens() < before.outputTokens()) {
        specs.add(new PartSpec(part, input, before.outputTokens(), 0, 0, Map.of()));
      } else {
        specs.add(new PartSpec(part, input, null, 0, 0, own(part, grids)));
      }
      before = part;
    }
    return specs;
  }

  /** Those of a part's weights, by their names within it. */
  private static Map<String, GridForm> own(Part part, Map<String, GridForm> grids) {
    Map<String, GridForm> own = new LinkedHashMap<>();
    for (Parameter parameter : part.parameters()) {
      GridForm form = grids.get(parameter.name());
      if (form != null) {
        own.put(parameter.name().substring(part.prefix().length()), form);
      }
    }
    return own;
  }

  /** Tokens of a picture in what feeds a norm. */
  public int inputTokens(Norm norm) {
    return inputTokens == null ? norm.tokens() : inputTokens;
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
