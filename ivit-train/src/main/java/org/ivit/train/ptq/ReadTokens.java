package org.ivit.train.ptq;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.ivit.core.architecture.Answer;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Node;
import org.ivit.core.architecture.Part;

/**
 * Which rows of the blocks' nodes belong to tokens that a feature reads, where it reads the first
 * token alone: the class token. What is rounded away there reaches the feature as it is; what is
 * rounded away at a patch does so as one of many that attention averages. Classes, of which only
 * the likeliest counts, gain nothing by it: docs/performance.md has the figures.
 */
final class ReadTokens {
  /** The answer reads all tokens alike. */
  static final ReadTokens ALL = new ReadTokens(Map.of(), 0);

  private final Map<String, Integer> tokens;
  private final int read;

  private ReadTokens(Map<String, Integer> tokens, int read) {
    this.tokens = tokens;
    this.read = read;
  }

  /**
   * @param architecture whose answer it is
   * @return {@link #ALL} where the answer is classes, or a mean or an attention reads the blocks'
   *     tokens
   */
  static ReadTokens of(Architecture architecture) {
    if (architecture.answer() == Answer.CLASSES) {
      return ALL;
    }
    List<Part> parts = architecture.parts();
    Map<String, Integer> tokens = new HashMap<>();
    int read = 0;
    for (int i = 1; i < parts.size(); i++) {
      Part before = parts.get(i - 1);
      if (before instanceof Block block && block.inOrder()) {
        read = parts.get(i).readTokens();
        for (Node node : block.nodes()) {
          tokens.put(node.name(), block.tokens());
        }
      }
    }
    int least = read;
    return tokens.values().stream().allMatch(count -> count > least)
        ? new ReadTokens(tokens, least)
        : ALL;
  }

  /**
   * Whether a row is of a token that the answer reads.
   *
   * @param node full name
   * @param row of the node, of one picture after the other
   */
  boolean reads(String node, int row) {
    Integer count = tokens.get(node);
    return count != null && row % count < read;
  }
}
