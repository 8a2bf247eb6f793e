package org.ivit.export.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.ivit.core.InputException;
import org.ivit.core.dataset.ClassList;
import org.ivit.core.image.EvaluationTransform;
import org.ivit.core.image.ImageDecoder;
import org.ivit.export.evaluate.Logits;
import org.ivit.export.evaluate.Model;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code ivit predict}: the five most probable classes of pictures. */
@Command(name = "predict", description = "Names the five most probable classes of pictures.")
final class PredictCommand implements Callable<Integer> {
  private static final int TOP = 5;

  @Spec private CommandSpec spec;

  @Mixin private ModelOptions options;

  @Option(
      names = "--classes",
      paramLabel = "FILE",
      description = "Names of the classes, one a line, for a model that has none.")
  private Path classes;

  @Parameters(arity = "1..*", paramLabel = "IMAGE", description = "JPEG or PNG files.")
  private List<Path> images = new ArrayList<>();

  @Override
  public Integer call() {
    options.validate();
    for (Path image : images) {
      Checks.file("picture", image);
    }
    if (classes != null) {
      Checks.file("--classes", classes);
    }
    PrintWriter out = spec.commandLine().getOut();
    try (Model model = options.open()) {
      List<String> names = names(model);
      EvaluationTransform transform = new EvaluationTransform(model.preprocess());
      for (Path image : images) {
        Logits logits = model.logits(List.of(transform.apply(ImageDecoder.decode(image))));
        double[] probabilities = logits.softmax(0);
        out.println(image);
        for (int c : logits.top(0, TOP)) {
          out.printf(Locale.ROOT, "  %6.2f %%  %s%n", 100 * probabilities[c], names.get(c));
        }
        out.flush();
      }
    }
    return 0;
  }

  private List<String> names(Model model) {
    int count = model.architecture().classes();
    List<String> names =
        classes == null ? model.classes().names() : ClassList.read(classes).names();
    if (names.isEmpty()) {
      return java.util.stream.IntStream.range(0, count).mapToObj(c -> "class " + c).toList();
    }
    if (names.size() != count) {
      throw new InputException(
          (classes == null ? options.model : classes)
              + ": found "
              + names.size()
              + " classes, expected "
              + count
              + " as the model has");
    }
    return names;
  }
}
