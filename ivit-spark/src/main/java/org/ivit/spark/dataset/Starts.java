package org.ivit.spark.dataset;

/** Consecutive runs of a list, of which some may be empty. */
final class Starts {
  private Starts() {}

  /**
   * Which run holds a place.
   *
   * @param starts where each run begins, from 0, not falling
   * @param place in the list
   * @return the last run that begins at or before it
   */
  static int indexOf(int[] starts, int place) {
    int low = 0;
    int high = starts.length;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (starts[middle] <= place) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low - 1;
  }
}
