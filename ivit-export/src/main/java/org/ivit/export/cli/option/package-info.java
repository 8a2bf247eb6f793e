/** Options that several commands have, and checks of options. */
package org.ivit.export.cli.option;
