/**
 * The command line: one class a command, exit codes, progress. Deeplearning4j is loaded only by the
 * commands that train or run a float model.
 */
package org.ivit.export.cli;
