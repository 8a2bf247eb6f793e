package org.ivit.export.cli;

import java.nio.file.Path;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Architecture;
import org.ivit.core.checkpoint.CheckpointFile;
import org.ivit.core.checkpoint.ClassNames;
import org.ivit.core.checkpoint.IntegerCheckpoint;
import org.ivit.core.checkpoint.Provenance;
import org.ivit.core.checkpoint.SourceDate;
import org.ivit.core.dataset.ClassList;
import org.ivit.core.family.Architectures;
import org.ivit.core.io.Digests;
import org.ivit.core.pretrained.PublishedCheckpoint;
import org.ivit.export.cli.console.WrittenFile;
import org.ivit.export.evaluate.ModelReading;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@code ivit export --published-checkpoint}: no training, no calibration, no Deeplearning4j. */
final class PublishedExport {
  private static final Logger LOG = LoggerFactory.getLogger(PublishedExport.class);

  private PublishedExport() {}

  private static ClassNames names(Path file, int expected) {
    if (file == null) {
      return ClassNames.UNKNOWN;
    }
    ClassList list = ClassList.read(file);
    if (list.size() != expected) {
      throw new InputException(
          "%s: has %d classes, expected the %d of --architecture"
              .formatted(file, list.size(), expected));
    }
    return ClassNames.of(list);
  }

  /** Reads, proves the bounds, writes, and says what came of it. */
  static String export(Path file, ModelReading reading, Path classes, Path output) {
    Architecture parsed = Architectures.parse(reading.architecture());
    PublishedCheckpoint published =
        PublishedCheckpoint.read(file, parsed, reading.weightsKey(), LOG::info);
    ClassNames names = names(classes, parsed.classes());
    Provenance provenance =
        new Provenance(
            String.valueOf(file.getFileName()),
            Digests.file(file),
            "",
            SourceDate.text(),
            IvitCommand.Version.version(),
            "");
    IntegerCheckpoint checkpoint =
        new IntegerCheckpoint(
            published.graph(),
            reading.transform().of(published.preprocess()),
            names.toList(parsed.classes()),
            provenance);
    String digest = CheckpointFile.write(output, checkpoint);
    String more = ", %d scales taken over, bounds proved".formatted(published.scales().size());
    return WrittenFile.checkpoint(output, more, digest, parsed.answer());
  }
}
