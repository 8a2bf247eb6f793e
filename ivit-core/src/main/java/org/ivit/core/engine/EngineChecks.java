package org.ivit.core.engine;

import org.ivit.core.InputException;
import org.ivit.core.graph.IntegerGraph;

/** The checks of a call that engines share. */
public final class EngineChecks {
  private EngineChecks() {}

  /**
   * @param graph what runs
   * @param codes input codes
   * @param pictures number of pictures
   * @throws InputException if the codes are not so many pictures
   */
  public static void input(IntegerGraph graph, byte[] codes, int pictures) {
    long pixels = graph.architecture().pixels();
    if (pictures < 1 || codes.length != pixels * pictures) {
      throw new InputException(
          "input: found %s codes for %s pictures, expected %s a picture"
              .formatted(codes.length, pictures, pixels));
    }
  }
}
