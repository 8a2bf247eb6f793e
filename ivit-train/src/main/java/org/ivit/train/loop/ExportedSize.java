package org.ivit.train.loop;

import java.util.List;
import java.util.stream.IntStream;
import org.ivit.core.architecture.Answer;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.checkpoint.CheckpointFile;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.core.checkpoint.Provenance;
import org.ivit.core.checkpoint.SourceDate;
import org.ivit.core.dataset.Dataset;
import org.ivit.core.graph.IntegerGraph;
import org.ivit.train.loading.RecipePictures;
import org.ivit.train.ptq.bits.FileSize;
import org.ivit.train.recipe.Recipe;
import org.ivit.train.recipe.WeightRules;

/** What the export of a run will take, when its weights are calibrated and not yet trained. */
final class ExportedSize implements FileSize {
  /** Bytes by which training may make constants deflate less. */
  private static final long RESERVE = 2048;

  private static final String DIGEST = "0".repeat(64);
  private static final String VERSION = "0.0.0-version";
  private static final String ACCURACY =
      "mean cosine to the teacher's features 0.0000 on the run's validation pictures";

  private final Recipe recipe;
  private final Architecture architecture;
  private final List<String> classes;

  /**
   * @param pictures whose classes the export names
   */
  ExportedSize(Recipe recipe, Architecture architecture, Dataset pictures) {
    this.recipe = recipe;
    this.architecture = architecture;
    this.classes =
        architecture.answer() == Answer.CLASSES
            ? IntStream.range(0, architecture.classes()).mapToObj(i -> name(pictures, i)).toList()
            : List.of();
  }

  private static String name(Dataset pictures, int i) {
    return i < pictures.classes()
        ? pictures.classIds().get(i) + "\t" + pictures.classNames().get(i)
        : "class " + i;
  }

  @Override
  public long bytes(IntegerGraph graph, WeightRules rules) {
    Provenance provenance =
        new Provenance(
            recipe.weights() == null ? "" : String.valueOf(recipe.weights().getFileName()),
            DIGEST,
            recipe.withWeightRules(rules).toYaml(),
            SourceDate.text(),
            VERSION,
            ACCURACY);
    return RESERVE
        + CheckpointFile.bytes(
            new IntegerCheckpoint(
                graph, RecipePictures.preprocess(recipe, architecture), classes, provenance));
  }
}
