/** What other modules add to the command line. */
package org.ivit.export.cli.extension;
