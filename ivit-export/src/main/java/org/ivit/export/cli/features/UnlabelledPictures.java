package org.ivit.export.cli.features;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.ivit.core.dataset.Dataset;
import org.ivit.core.dataset.Datasets;
import org.ivit.core.dataset.Locations;
import org.ivit.core.dataset.PictureSource;
import org.ivit.export.cli.option.PictureFiles;

/** Pictures whose classes, if they have any, nobody looks at. */
final class UnlabelledPictures {
  private UnlabelledPictures() {}

  /**
   * Opens files and folders of pictures, or one set as other commands take it.
   *
   * @param locations at least one
   * @throws org.ivit.core.InputException naming what is missing or wrong
   */
  static Dataset open(List<String> locations) {
    if (locations.size() == 1 && isSet(locations.get(0))) {
      return Datasets.open(locations.get(0), null, null);
    }
    return PictureFiles.of(locations.stream().map(Path::of).toList());
  }

  private static boolean isSet(String location) {
    if (Locations.isRemote(location)) {
      return true;
    }
    Path path = Locations.local(location);
    return Locations.isParquet(path)
        || (!Files.isDirectory(path)
            && !PictureSource.isPicture(String.valueOf(path.getFileName()))
            && Datasets.exists(location));
  }
}
