package org.ivit.export.cluster;

import java.io.Serializable;
import java.nio.file.Path;
import org.ivit.core.dataset.ClassList;
import org.ivit.core.dataset.Dataset;
import org.ivit.core.dataset.Datasets;
import org.ivit.core.dataset.Subset;
import org.ivit.core.engine.choice.EngineConfig;
import org.ivit.export.evaluate.ModelReading;
import org.ivit.export.evaluate.Models;
import org.ivit.export.model.Model;

/**
 * What a worker has to know to run a model over pictures. Files must have the same paths on all
 * machines.
 *
 * @param model absolute path
 * @param sha256 of the model's file, which workers compare with what they see
 * @param reading of float weights
 * @param config how it is run; without a number of threads each worker has its own
 * @param data absolute location of the pictures
 * @param classes absolute path of the class list; null for the model's own
 * @param labels absolute path of the label file of a flat folder, or null
 * @param limit only so many pictures, 0 for all
 * @param digest of the list of pictures, which workers compare with what they see
 * @param batch pictures at once
 */
public record EvaluationJob(
    String model,
    String sha256,
    ModelReading reading,
    EngineConfig config,
    String data,
    String classes,
    String labels,
    int limit,
    String digest,
    int batch)
    implements Serializable {

  /** Opens the model, for so many threads. */
  Model openModel(int threads) {
    return Models.open(Path.of(model), reading, config.withThreads(threads));
  }

  /** Opens the pictures. */
  Dataset openData(Model opened) {
    ClassList list = null;
    if (classes != null) {
      list = ClassList.read(Path.of(classes));
    } else if (!opened.classes().ids().isEmpty()) {
      list = ClassList.of(opened.classes().ids());
    }
    Dataset all = Datasets.open(data, list, labels == null ? null : Path.of(labels));
    return limit > 0 ? Subset.first(all, limit) : all;
  }
}
