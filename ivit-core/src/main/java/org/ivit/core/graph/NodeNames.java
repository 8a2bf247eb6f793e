package org.ivit.core.graph;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.architecture.Block;
import org.ivit.core.architecture.Swin;

/** Names of the nodes that have a range, §9, as in trace files, run files and checkpoints. */
public final class NodeNames {
  /** The pixels. */
  public static final String INPUT = "input";

  /** The patch embedding's product. */
  public static final String PATCH_EMBED = "patch_embed";

  /** Parameter prefix of the patch embedding; in a Swin, which has a norm after it, a node too. */
  public static final String PATCH_PROJECTION = "patch_embed.proj";

  /** The norm of a Swin's patches. */
  public static final String PATCH_NORM = "patch_embed.norm";

  /** Patches and class token with their positions added. */
  public static final String EMBED = "embed";

  /** The final norm. */
  public static final String NORM = "norm";

  /** The mean over a Swin's tokens. */
  public static final String POOL = "pool";

  /** A block's scores with the relative position bias, in a block with windows. */
  public static final String BIASED = "attn.biased";

  /** A block's parameter of relative positions; it has a scale but no range. */
  public static final String POSITION_TABLE = "attn.relative_position_bias_table";

  /** The classifier; it has a scale but no range. */
  public static final String HEAD = "head";

  /** Nodes of a transformer block without windows that have a range, in order of execution. */
  private static final List<String> BLOCK =
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
      List.of("patch_embed", PATCH_NORM, "embed", "attn.proj", "mlp.fc2", "residual1", "residual2");

  private static final Pattern PLACE =
      Pattern.compile("^(layers\\.\\d+\\.downsample|(layers\\.\\d+\\.)?blocks\\.\\d+)\\.");

  private NodeNames() {}

  /**
   * @param block number of a block of a ViT
   * @return its name, such as {@code blocks.3}
   */
  public static String block(int block) {
    return "blocks." + block;
  }

  /**
   * @param block number of a block of a ViT, or the number of blocks for the head
   * @return the full name of the 16-bit node that feeds it
   */
  public static String stream(int block) {
    return block == 0 ? EMBED : block(block - 1) + ".residual2";
  }

  /**
   * @param site a transformer block
   * @return names within the block of its nodes with a range, in order of execution
   */
  public static List<String> ofBlock(Block site) {
    if (site.windows() == null) {
      return BLOCK;
    }
    List<String> names = new ArrayList<>(BLOCK);
    names.add(names.indexOf("attn.scores") + 1, BIASED);
    return names;
  }

  /**
   * @param architecture any
   * @return names of all nodes with a range, in order of execution
   */
  public static List<String> ranged(Architecture architecture) {
    List<String> names = new ArrayList<>(List.of(INPUT));
    if (architecture instanceof Swin swin) {
      names.addAll(List.of(PATCH_PROJECTION, PATCH_NORM));
      for (Swin.Stage stage : swin.stages()) {
        stage.blocks().forEach(site -> addBlock(names, site));
        if (stage.merges()) {
          names.addAll(List.of(stage.mergeNorm(), stage.reduction()));
        }
      }
      names.addAll(List.of(NORM, POOL));
    } else {
      names.addAll(List.of(PATCH_EMBED, EMBED));
      architecture.blocks().forEach(site -> addBlock(names, site));
      names.add(NORM);
    }
    return names;
  }

  private static void addBlock(List<String> names, Block site) {
    ofBlock(site).forEach(node -> names.add(site.node(node)));
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
   * Whether a node of an architecture may name outlier channels: the final norm of a Swin feeds the
   * pool, so it may not.
   *
   * @param architecture any
   * @param node a full node name
   */
  public static boolean mayHaveOutliers(Architecture architecture, String node) {
    return mayHaveOutliers(node) && !(architecture instanceof Swin && node.equals(NORM));
  }

  /**
   * @param node a full node name
   * @return the name within its block, such as {@code attn.qkv}, or within its merging, or the name
   *     itself outside both
   */
  public static String local(String node) {
    return PLACE.matcher(node).replaceFirst("");
  }
}
