package org.ivit.core.graph;

import org.ivit.core.InputException;
import org.ivit.core.architecture.LinearSpec;

/** The check shared by the node records: an array has as many elements as its node needs. */
final class GraphChecks {
  private GraphChecks() {}

  static void length(String what, long found, long expected) {
    if (found != expected) {
      throw new InputException(what + ": found " + found + " elements, expected " + expected);
    }
  }

  static void present(String what, Object found, boolean expected) {
    if ((found != null) != expected) {
      throw new InputException(what + ": expected " + (expected ? "it" : "none"));
    }
  }

  static void linear(Linear linear, LinearSpec spec) {
    length(linear.name() + " inputs", linear.inputs(), spec.inputs());
    length(linear.name() + " outputs", linear.outputs(), spec.outputs());
  }
}
