package org.ivit.core.model;

import java.nio.file.Path;
import org.ivit.core.InputException;
import org.ivit.core.architecture.Answer;
import org.ivit.core.checkpoint.CheckpointFile;
import org.ivit.core.checkpoint.IntegerCheckpoint;

/**
 * A checkpoint on its way to a model.
 *
 * @param source what messages call it
 */
record OpenedCheckpoint(String source, IntegerCheckpoint checkpoint, ModelOptions options) {
  static OpenedCheckpoint read(Path file, ModelOptions options) {
    return new OpenedCheckpoint(file.toString(), CheckpointFile.read(file), options);
  }

  static OpenedCheckpoint of(IntegerCheckpoint checkpoint, ModelOptions options) {
    return new OpenedCheckpoint(checkpoint.graph().architecture().name(), checkpoint, options);
  }

  /**
   * @param other the class that takes what answers otherwise
   * @throws InputException if the model answers otherwise
   */
  OpenedCheckpoint require(Answer expected, String other) {
    Answer found = checkpoint.graph().architecture().answer();
    if (found != expected) {
      throw new InputException(
          "%s: answers with %s, expected a model that answers with %s (%s opens this one)"
              .formatted(source, found, expected, other));
    }
    return this;
  }
}
