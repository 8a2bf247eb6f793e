/** What commands say and hear on a terminal: progress, files, what comes next, signals. */
package org.ivit.export.cli.console;
