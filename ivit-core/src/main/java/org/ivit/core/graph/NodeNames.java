package org.ivit.core.graph;

import java.util.ArrayList;
import java.util.List;
import org.ivit.core.architecture.Vit;

/** Names of the nodes that have a range, §9, as in trace files, run files and checkpoints. */
public final class NodeNames {
  /** The pixels. */
  public static final String INPUT = "input";

  /** The patch embedding's product. */
  public static final String PATCH_EMBED = "patch_embed";

  /** Patches and class token with their positions added. */
  public static final String EMBED = "embed";

  /** The final norm. */
  public static final String NORM = "norm";

  /** The classifier; it has a scale but no range. */
  public static final String HEAD = "head";

  /** Nodes of a transformer block that have a range, in order of execution. */
  public static final List<String> BLOCK =
      List.of(
          "norm1",
          "attn.qkv",
          "attn.scores",
          "attn.context",
          "attn.proj",
          "residual1",
          "norm2",
          "mlp.fc1",
          "mlp.act",
          "mlp.fc2",
          "residual2");

  private static final List<String> SIXTEEN_BITS =
      List.of("patch_embed", "embed", "attn.proj", "mlp.fc2", "residual1", "residual2");

  private NodeNames() {}

  /**
   * @param block index of the block
   * @param node name within the block, such as {@code attn.qkv}
   * @return the full name, such as {@code blocks.3.attn.qkv}
   */
  public static String block(int block, String node) {
    return "blocks." + block + "." + node;
  }

  /**
   * @param block index of a block, or the number of blocks for the head
   * @return the full name of the 16-bit node that feeds it
   */
  public static String stream(int block) {
    return block == 0 ? EMBED : block(block - 1, "residual2");
  }

  /**
   * @param architecture a vision transformer
   * @return names of all nodes with a range, in order of execution
   */
  public static List<String> ranged(Vit architecture) {
    List<String> names = new ArrayList<>(List.of(INPUT, PATCH_EMBED, EMBED));
    for (int i = 0; i < architecture.depth(); i++) {
      for (String node : BLOCK) {
        names.add(block(i, node));
      }
    }
    names.add(NORM);
    return names;
  }

  /**
   * @param node a full node name
   * @return width of its codes: 16 for embeddings, projections into the residual stream and the
   *     stream itself, otherwise 8
   */
  public static int bits(String node) {
    return SIXTEEN_BITS.contains(local(node)) ? 16 : 8;
  }

  /**
   * Whether a node may name outlier channels (§3): 8 bits, feeding a linear layer directly or
   * through GELU.
   *
   * @param node a full node name
   * @return true for norms, {@code attn.context}, {@code mlp.fc1} and {@code mlp.act}
   */
  public static boolean mayHaveOutliers(String node) {
    return switch (local(node)) {
      case "norm", "norm1", "norm2", "attn.context", "mlp.fc1", "mlp.act" -> true;
      default -> false;
    };
  }

  /**
   * @param node a full node name
   * @return the name within its block, or the name itself outside blocks
   */
  public static String local(String node) {
    if (!node.startsWith("blocks.")) {
      return node;
    }
    return node.substring(node.indexOf('.', "blocks.".length()) + 1);
  }
}
