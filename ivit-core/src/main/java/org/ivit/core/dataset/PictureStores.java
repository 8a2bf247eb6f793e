package org.ivit.core.dataset;

import java.util.Iterator;
import java.util.ServiceLoader;
import org.ivit.core.InputException;

/** Finds what reads and writes pictures that this module does not read by itself. */
public final class PictureStores {
  private PictureStores() {}

  /**
   * The store of other file systems and Parquet files.
   *
   * @param what needs it, as the message begins
   * @throws InputException if the module {@code ivit-spark} is not on the class path
   */
  public static PictureStore require(String what) {
    PictureStore store = find();
    if (store == null) {
      throw new InputException(
          what
              + ": found no module ivit-spark on the class path, which Hadoop paths and Parquet files"
              + " need, expected the command scripts/ivit-spark in place of scripts/ivit");
    }
    return store;
  }

  /** The store, or null. */
  static PictureStore find() {
    Iterator<PictureStore> stores = ServiceLoader.load(PictureStore.class).iterator();
    return stores.hasNext() ? stores.next() : null;
  }
}
