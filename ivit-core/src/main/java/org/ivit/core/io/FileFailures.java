package org.ivit.core.io;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.util.Set;
import org.ivit.core.MessageText;

/** Says in words what exceptions about files say by their class alone. */
public final class FileFailures {
  /** What systems answer, and Java passes on, where another path is what helps. */
  private static final Set<String> OF_THE_PATH =
      Set.of(
          "Not a directory",
          "Is a directory",
          "Read-only file system",
          "File name too long",
          "Too many levels of symbolic links",
          "Operation not permitted",
          "exists and is not a regular file");

  private FileFailures() {}

  /**
   * Why something could not be read or written.
   *
   * @param e what was thrown
   * @return a part of a sentence without the file's name, save where another file is the reason
   */
  public static String reason(IOException e) {
    if (e instanceof NoSuchFileException) {
      return "no such file or folder";
    }
    if (e instanceof AccessDeniedException) {
      return "permission denied";
    }
    if (e instanceof FileAlreadyExistsException exists) {
      return exists.getFile() + " is in the way";
    }
    if (e instanceof NotDirectoryException other) {
      return other.getFile() + " is no folder";
    }
    if (e instanceof DirectoryNotEmptyException full) {
      return full.getFile() + " is not empty";
    }
    if (e instanceof FileSystemException failure && failure.getReason() != null) {
      return failure.getReason().replaceAll("\\s+", " ");
    }
    if (e instanceof CharacterCodingException) {
      return "is no text in UTF-8";
    }
    if (e instanceof EOFException) {
      return "it ends too early";
    }
    if (e instanceof JsonProcessingException json) {
      int line = json.getLocation() == null ? 0 : json.getLocation().getLineNr();
      return (line > 0 ? "line " + line + ": " : "")
          + "not well-formed JSON: "
          + MessageText.problem(json);
    }
    return e.getMessage() == null ? "input or output failed" : MessageText.line(e.getMessage());
  }

  /**
   * Whether another path, or another mode of the file, is what helps: what a user gave is at fault
   * and not the machine.
   */
  public static boolean isOfThePath(Throwable e) {
    return e instanceof NoSuchFileException
        || e instanceof AccessDeniedException
        || e instanceof FileAlreadyExistsException
        || e instanceof NotDirectoryException
        || e instanceof DirectoryNotEmptyException
        || (e instanceof FileSystemException failure
            && failure.getReason() != null
            && OF_THE_PATH.contains(failure.getReason()));
  }
}
