package org.ivit.core.architecture;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.ivit.core.InputException;

/**
 * Swin Transformer: patches with a norm, stages of blocks whose attention stays within windows,
 * merging of 2 × 2 tokens between stages, a norm, the mean over all tokens, the head. The MLP's
 * hidden width is 4 · dim, as in every release.
 *
 * @param name timm name
 * @param image height and width of the picture in pixels, a multiple of {@code patch}
 * @param patch height and width of a patch in pixels
 * @param window height and width of a window in tokens
 * @param dim channels of a token of the first stage; each merging doubles them
 * @param depths number of blocks of each stage
 * @param heads attention heads of each stage's blocks
 * @param classes number of classes
 * @param epsilon of the float model's layer norms, 1e-5 in released models
 */
public record Swin(
    String name,
    int image,
    int patch,
    int window,
    int dim,
    List<Integer> depths,
    List<Integer> heads,
    int classes,
    double epsilon)
    implements Architecture {
  /** The value of {@code kind} in a description. */
  public static final String KIND = "swin";

  private static final int HIDDEN_RATIO = 4;

  /** Beyond every published model; more cannot halve a picture of any size that fits. */
  private static final int MOST_STAGES = 12;

  /**
   * Checks the sizes.
   *
   * @throws InputException naming the first that is out of range or does not divide
   */
  public Swin {
    depths = List.copyOf(depths);
    heads = List.copyOf(heads);
    SizeChecks check = new SizeChecks(name);
    check.inRange("image", image);
    check.inRange("patch", patch);
    check.inRange("window", window);
    check.inRange("dim", dim);
    check.inRange("classes", classes);
    check.epsilon(epsilon);
    check.multiple("image", image, "patch", patch);
    if (depths.isEmpty() || depths.size() > MOST_STAGES) {
      throw check.refused(
          "depths has %d stages, expected 1 to %d".formatted(depths.size(), MOST_STAGES));
    }
    if (heads.size() != depths.size()) {
      throw check.refused(
          "heads has %d stages, expected as many as depths, %d"
              .formatted(heads.size(), depths.size()));
    }
    checkStages(check, image / patch, window, dim, depths, heads);
  }

  private static void checkStages(
      SizeChecks check, int grid, int window, int dim, List<Integer> depths, List<Integer> heads) {
    int resolution = grid;
    int width = dim;
    for (int i = 0; i < depths.size(); i++) {
      String stage = "stage " + i + ": ";
      check.inRange(stage + "depth", depths.get(i));
      check.inRange(stage + "heads", heads.get(i));
      check.inRange(stage + "dim", width);
      check.inRange(stage + "merged channels", 4 * width);
      check.multiple(stage + "dim", width, "heads", heads.get(i));
      if (resolution > window) {
        check.multiple(stage + "resolution", resolution, "window", window);
      }
      int side = Math.min(resolution, window);
      check.rowOfScores(stage + "a window has", (long) side * side);
      if (i < depths.size() - 1) {
        check.multiple(stage + "resolution", resolution, "the merging", 2);
      }
      resolution /= 2;
      width *= 2;
    }
  }

  /**
   * A run of blocks of one width, with the merging after it.
   *
   * @param index number of the stage
   * @param resolution height and width of its grid in tokens
   * @param dim channels of a token
   * @param blocks its blocks in order
   * @param merges whether a merging follows
   */
  public record Stage(int index, int resolution, int dim, List<Block> blocks, boolean merges) {
    /** Full name of the node that the last block ends in. */
    public String output() {
      return blocks.get(blocks.size() - 1).node("residual2");
    }

    /** Tokens of a picture. */
    public int tokens() {
      return resolution * resolution;
    }

    /** Prefix of the merging's nodes and parameters, with its dot. */
    public String downsample() {
      return "layers." + index + ".downsample.";
    }

    /** Full name of the merging's norm. */
    public String mergeNorm() {
      return downsample() + "norm";
    }

    /** Full name of the merging's product. */
    public String reduction() {
      return downsample() + "reduction";
    }
  }

  /** The stages in order. */
  public List<Stage> stages() {
    List<Stage> stages = new ArrayList<>();
    int resolution = image / patch;
    int width = dim;
    for (int i = 0; i < depths.size(); i++) {
      List<Block> blocks = new ArrayList<>();
      for (int j = 0; j < depths.get(i); j++) {
        blocks.add(
            new Block(
                "layers." + i + ".blocks." + j,
                width,
                heads.get(i),
                HIDDEN_RATIO * width,
                resolution * resolution,
                Windows.of(resolution, window, j % 2 == 1)));
      }
      stages.add(new Stage(i, resolution, width, List.copyOf(blocks), i < depths.size() - 1));
      resolution /= 2;
      width *= 2;
    }
    return List.copyOf(stages);
  }

  @Override
  public List<Block> blocks() {
    return stages().stream().flatMap(stage -> stage.blocks().stream()).toList();
  }

  /**
   * The full name of the node that feeds a block.
   *
   * @param block number of the block, counted through the stages
   */
  public String streamInto(int block) {
    String node = "patch_embed.norm";
    int left = block;
    for (Stage stage : stages()) {
      if (left < stage.blocks().size()) {
        return left == 0 ? node : stage.blocks().get(left - 1).node("residual2");
      }
      left -= stage.blocks().size();
      node = stage.reduction();
    }
    throw new IndexOutOfBoundsException("block " + block + " of " + blocks().size());
  }

  /** Tokens that the last stage leaves, over which the pool takes the mean. */
  public int pooledTokens() {
    int resolution = (image / patch) >> (depths.size() - 1);
    return resolution * resolution;
  }

  @Override
  public int features() {
    return dim << (depths.size() - 1);
  }

  @Override
  public Map<String, long[]> parameters() {
    ParameterShapes shapes = new ParameterShapes();
    shapes.patchProjection(dim, patch);
    shapes.norm("patch_embed.norm", dim);
    for (Stage stage : stages()) {
      stage.blocks().forEach(shapes::block);
      if (stage.merges()) {
        shapes.norm(stage.mergeNorm(), 4L * stage.dim());
        shapes.add(stage.reduction() + ".weight", 2L * stage.dim(), 4L * stage.dim());
      }
    }
    shapes.norm("norm", features());
    shapes.linear("head", classes, features());
    return shapes.all();
  }

  @Override
  public ObjectNode toJson() {
    ObjectNode json =
        JsonNodeFactory.instance
            .objectNode()
            .put("kind", KIND)
            .put("name", name)
            .put("image", image)
            .put("patch", patch)
            .put("window", window)
            .put("dim", dim);
    ArrayNode depthList = json.putArray("depths");
    depths.forEach(depthList::add);
    ArrayNode headList = json.putArray("heads");
    heads.forEach(headList::add);
    return json.put("classes", classes).put("epsilon", epsilon);
  }

  @Override
  public Swin withImage(int size) {
    return new Swin(
        Architectures.nameFor(name, image, size),
        size,
        patch,
        window,
        dim,
        depths,
        heads,
        classes,
        epsilon);
  }

  @Override
  public Swin withClasses(int count) {
    return new Swin(name, image, patch, window, dim, depths, heads, count, epsilon);
  }
}
