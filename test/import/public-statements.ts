// What becomes of every public statement file, one by one, as it is read by a person: amounts summed by hand or by awk
// from the raw text, days CLOSED where the bank's own balance proves them, reasons from what is wrong in the file.

export interface PublicFile {
  /** Below `statements/`. */
  readonly file: string;
  /** `number currency entries +credits -debits first..last closed/open days`, in minor units, by number. */
  readonly accounts: readonly string[];
  /** For each refusal, how many records it counts and a part of its reason. */
  readonly refused: readonly (readonly [number, string])[];
}

const imported = (file: string, ...accounts: string[]): PublicFile => ({ file, accounts, refused: [] });
const refused = (file: string, reason: string, records = 1): PublicFile => ({
  file,
  accounts: [],
  refused: [[records, reason]],
});
const mixed = (file: string, accounts: readonly string[], ...reasons: PublicFile['refused']): PublicFile => ({
  file,
  accounts,
  refused: reasons,
});

const ofx: readonly PublicFile[] = [
  // 6,529.19 on 25 October, the day that the file was made on, so that day is OPEN; a cheque of 26 August lies before
  // the range, which begins on 30 September.
  imported('ofx-annacruz/bb.ofx', '12345-6 BRL 81 +1329382 -670107 2010-08-26..2010-10-25 14/2'),
  // The balance is of day 00000000, which is none.
  imported('ofx-annacruz/bradesco.ofx', '34545 BRL 6 +0 -216681 2015-07-30..2015-07-30 0/1'),
  mixed('ofx-annacruz/cef_malformed_decimal.ofx', ['0000000000001 BRL 0 +0 -0 -..- 0/0'], [1, 'lists a balance']),
  // The range ends on 8 June, the balance is of 23 June.
  imported('ofx-annacruz/creditcard.ofx', 'XXXXXXXXXXXX1111 USD 3 +1101 -3117 2007-05-10..2007-05-26 0/3'),
  imported('ofx-annacruz/dtsof_balance_issue.ofx', '1234 BRL 1 +0 -83630 2010-08-26..2010-08-26 0/1'),
  mixed('ofx-annacruz/error.ofx', [], [1, 'error 2000: We were unable'], [1, 'error 15500']),
  // 16 cycles of two cards, without a gap up to the balances of 21 September 2013: -764.60 and 0.21.
  imported(
    'ofx-annacruz/nd-amex-sample.ofx',
    '444444444444444 USD 4 +11010 -10989 2012-11-25..2013-07-04 3/0',
    '555555555555555 USD 11 +124790 -201250 2013-05-15..2013-09-14 8/0',
  ),
  // The range is the moment of the export, three days after the entries.
  imported('ofx-annacruz/santander.ofx', '3423130031625 BRL 4 +4701 -4701 2017-09-01..2017-09-01 0/1'),
  imported(
    'ofx-annacruz/v211.ofx',
    '123412341234 USD 2 +35000 -2300 2005-08-11..2005-08-11 1/0',
    '123456 USD 1 +0 -8000 2005-08-24..2005-08-24 1/0',
  ),
  refused('ofx-jseutter/account_listing_aggregation.ofx', 'only SIGNONMSGSRSV1, SIGNUPMSGSRSV1'),
  imported('ofx-jseutter/anzcc.ofx', '1234123412341234 AUD 1 +0 -550 2017-05-08..2017-05-08 0/1'),
  imported('ofx-jseutter/bank_medium.ofx', '12300-000012345678 CAD 3 +0 -34527 2009-04-01..2009-04-03 3/0'),
  refused('ofx-jseutter/bank_small.ofx', 'no statement'),
  imported('ofx-jseutter/checking.ofx', '1452687-7 USD 3 +1 -5951 2011-03-31..2011-04-07 3/0'),
  refused('ofx-jseutter/error_message.ofx', 'error 2000: General Server Error'),
  mixed(
    'ofx-jseutter/fail_nice/date_missing.ofx',
    [],
    [1, 'no date (DTPOSTED)'],
    [1, 'no date (DTPOSTED)'],
    [1, '"20120231" is no day'],
  ),
  refused('ofx-jseutter/fail_nice/decimal_error.ofx', '"201120000000" is no day'),
  imported('ofx-jseutter/fail_nice/empty_balance.ofx', '192639749 CAD 1 +12000 -0 2011-03-08..2011-03-08 0/1'),
  refused('ofx-jseutter/fidelity-savings.ofx', 'investment statement', 4),
  refused('ofx-jseutter/fidelity.ofx', 'investment statement', 3),
  refused('ofx-jseutter/investment_401k.ofx', 'investment statement'),
  refused('ofx-jseutter/investment_medium.ofx', 'investment statement', 3),
  imported('ofx-jseutter/multiple_accounts.ofx', '9100 USD 0 +0 -0 -..- 0/0', '9200 USD 0 +0 -0 -..- 0/0'),
  imported('ofx-jseutter/multiple_accounts2.ofx', '9100 USD 0 +0 -0 -..- 0/0', '9200 USD 0 +0 -0 -..- 0/0'),
  // CURDEF is empty, but the one entry is in AUD.
  imported('ofx-jseutter/ofx-v102-empty-tags.ofx', '12345678 AUD 1 +1234 -0 2018-05-07..2018-05-07 0/1'),
  refused('ofx-jseutter/signon_fail.ofx', 'error 15500: Your request could not be processed'),
  refused('ofx-jseutter/signon_success.ofx', 'only SIGNONMSGSRSV1'),
  refused('ofx-jseutter/signon_success_no_message.ofx', 'only SIGNONMSGSRSV1'),
  // The entry is of the day that the file was made on.
  imported('ofx-jseutter/suncorp.ofx', '123456789 AUD 1 +0 -1685 2013-12-15..2013-12-15 0/1'),
  refused('ofx-jseutter/td_ameritrade.ofx', 'investment statement'),
  refused('ofx-jseutter/tiaacref.ofx', 'investment statement'),
  refused('ofx-jseutter/vanguard.ofx', 'investment statement'),
  refused('ofx-jseutter/vanguard401k.ofx', 'investment statement'),
  imported('ofx-kamino/bb.ofx', '99999-9 BRL 3 +344480 -12225 2014-03-05..2014-03-05 1/0'),
  // The range ends on 28 February, the balance is of 4 March.
  imported('ofx-kamino/itau.ofx', '9999-99999-9 BRL 3 +9999 -74443 2013-12-09..2013-12-10 0/2'),
  // 6000.000,00 is six million: the comma is decimal, and three digits follow the point. Made on the day itself.
  imported(
    'ofx-kamino/santander-thousands-separator.ofx',
    '0000999999999 BRL 4 +600000000 -595254362 2026-04-30..2026-04-30 0/1',
  ),
  imported('ofx-kamino/santander.ofx', '9999999999999 BRL 3 +0 -56666 2013-11-07..2013-11-08 0/2'),
];

const report = 'camt.052';
const notice = 'camt.054';
const camt: readonly PublicFile[] = [
  ...['v1', 'v2.other-account', 'v2.with-account-name', 'v2', 'v4', 'v6.Amt-zero', 'v6', 'v8'].map((name) =>
    refused(`camt-genkgo/camt052.${name}.xml`, report),
  ),
  refused(
    'camt-genkgo/camt053.v2.all-balance-types.xml',
    'opens with 1.01, its entries make that 9.86, but it closes with 4.04',
  ),
  // 18.150 + 8.850 is 27.000, and the file says 27.050.
  refused('camt-genkgo/camt053.v2.five.decimals.xml', 'make that 27.00, but it closes with 27.05'),
  ...['v2.minimal.ultimate', 'v2.minimal', 'v2.with-party-ids', 'v3', 'v4', 'v8'].map((name) =>
    refused(`camt-genkgo/camt053.${name}.xml`, 'has an amount in SEK'),
  ),
  // 18.15 + 8.85 = 27.00, and 27.00 - 7.00 = 20.00, both on the last day of 2014.
  imported(
    'camt-genkgo/camt053.v2.multi.statement.xml',
    'NL26VAYB8060476890 EUR 2 +885 -700 2014-12-31..2014-12-31 1/0',
  ),
  refused('camt-genkgo/camt053.v2.with-account-name.xml', 'has an amount in JPY'),
  refused('camt-genkgo/camt053.v2.wrong.xml', 'no statement (Stmt)'),
  ...['v2.with-account-name', 'v2', 'v4', 'v8-with-UETR', 'v8-with-financial-institution', 'v8'].map((name) =>
    refused(`camt-genkgo/camt054.${name}.xml`, notice),
  ),
  // An opening balance of 5,442.09 and nothing else.
  imported('camt-genkgo/camt53.only-Dt-with-DtTm.xml', 'GB33BUKB20201555555555 RON 0 +0 -0 -..- 0/0'),
];

/** Accounts of Dresdner Bank's sample by the last part of their number: entries, credits, debits. All on 4 September. */
const sepa: readonly (readonly [string, number, string, string])[] = [
  ['0194774600888', 7, '99724196', '100015183'],
  ['0194777100888', 2, '1500005', '50025000'],
  ['0194778300888', 5, '12518081', '65321932'],
  ['0194779500888', 3, '105000000', '0'],
  ['0194780100888', 5, '20488', '72689915'],
  ['0194780101888', 1, '5099005', '0'],
  // Of two pages.
  ['0194781300888', 8, '1999005', '8041230'],
  ['0194782500888', 11, '20120210', '95217583'],
  ['0194783700888', 12, '91564688', '210586697'],
  ['0194784900888', 9, '17105200', '323789181'],
  ['0194784901888', 1, '1399005', '0'],
  // Of three.
  ['0194785000888', 12, '0', '150107450'],
  ['0194785001888', 1, '5099005', '0'],
  ['0194786200888', 3, '9299019', '0'],
  ['0194787400888', 4, '36009391', '150000'],
  ['0194791600888', 7, '107095181', '357256903'],
  ['0194791601888', 3, '5290010', '12530010'],
  ['0194798900888', 1, '0', '15000'],
  ['0194799000888', 1, '0', '15000'],
  ['0194804000888', 1, '5005', '0'],
];

const fragments = [
  ...['amount_formats', 'currency_in_25', 'empty_86', 'empty_entry_date', 'empty_line', 'missing_crlf_at_end'].map(
    (name) => `betterplace/${name}`,
  ),
  ...'account_balance_credit account_balance_debit account_identification_iban account_identification_legacy'
    .split(' ')
    .map((name) => `cmxl/${name}`),
  ...'available_balance closing_balance reference statement_details statement_line statement_number'
    .split(' ')
    .map((name) => `cmxl/${name}`),
];

const mt940: readonly PublicFile[] = [
  ...fragments.map((name) => refused(`mt940-wolph/${name}.sta`, 'so it is no MT940 statement')),
  imported(
    'mt940-wolph/betterplace/sepa_mt9401.sta',
    ...sepa.map(
      ([number, entries, credits, debits]) =>
        `50880050-${number} EUR ${entries} +${credits} -${debits} 2007-09-04..2007-09-04 1/0`,
    ),
  ),
  // The second statement of the snippet lacks an entry of 300.00 and 0.08 more than the whole file has.
  mixed(
    'mt940-wolph/betterplace/sepa_snippet.sta',
    ['50880050-0194787400888 EUR 4 +36009391 -150000 2007-09-04..2007-09-04 1/0'],
    [7, 'make that -4472349.17, but it closes with -4472049.09'],
  ),
  refused('mt940-wolph/betterplace/sepa_snippet_broken.sta', 'twice'),
  imported(
    'mt940-wolph/betterplace/with_binary_character.sta',
    '51230800-0000007055 EUR 3 +1309530 -19328205 2010-03-19..2010-03-19 1/0',
    '51230800-0000007304 EUR 1 +112000 -0 2010-03-19..2010-03-19 1/0',
  ),
  mixed(
    'mt940-wolph/cmxl/mt940.sta',
    ['10020030-1234567 EUR 2 +300000 -80000 2002-11-02..2002-11-02 1/0'],
    [11, '"DEM" is no ISO 4217 currency'],
    [3, 'closes on 2002-03-25, before it opens on 2003-10-02'],
  ),
  mixed(
    'mt940-wolph/jejik/abnamro.sta',
    [],
    [8, 'make that 2914.84, but it closes with 876.84'],
    [2, 'make that 2852.35, but it closes with 1849.75'],
  ),
  imported('mt940-wolph/jejik/generic.sta', '11111111 EUR 2 +0 -2000 2011-01-01..2011-02-01 2/0'),
  refused('mt940-wolph/jejik/ing.sta', 'make that -45.59, but it closes with 3.47', 7),
  mixed(
    'mt940-wolph/jejik/knab.sta',
    ['123456789 EUR 1 +50000 -0 2014-05-07..2014-05-07 1/0'],
    [2, 'make that -3701.02, but it closes with 798.98'],
  ),
  refused('mt940-wolph/jejik/postfinance.sta', 'make that 159.40, but it closes with 159.60', 4),
  imported('mt940-wolph/jejik/rabobank-iban.sta', 'NL71RABO0123456789 EUR 4 +0 -7000 2013-01-01..2013-01-09 4/0'),
  // Of three statements of one account, the one without entries adds up; its day is closed as an empty one.
  mixed(
    'mt940-wolph/jejik/rabobank.sta',
    ['1291.99.348 EUR 0 +0 -0 2011-06-16..2011-06-16 1/0', '1526.89.184 EUR 2 +0 -9430 2012-08-29..2012-08-29 1/0'],
    [1, 'make that -740.11, but it closes with 395.82'],
    [2, 'make that 1014.31, but it closes with 1250.87'],
  ),
  imported('mt940-wolph/jejik/sns.sta', '0123456789 EUR 2 +0 -2500 2012-06-08..2012-06-09 2/0'),
  refused('mt940-wolph/jejik/triodos.sta', 'make that 4259.39, but it closes with 4370.79', 2),
];

/** One by one; the files of Berka belong together and have a test of their own. */
export const publicFiles: readonly PublicFile[] = [...ofx, ...camt, ...mt940];

/** Files that are no statements at all, and why. */
export const strangers: readonly (readonly [string, string])[] = [
  ['ofx-annacruz/avatar.gif', 'zero bytes'],
  ['cnab240-brcobranca/CNAB240.RET', 'looks like CNAB'],
];

/** Imported together by `berka-import.test.ts`. */
export const berkaFiles: readonly string[] = ['account.asc', 'disp.asc', 'order.asc', 'trans.asc.gz'].map(
  (name) => `pkdd99-berka/${name}`,
);
