// Sequelize asks each connection for its version, and sends SET TRANSACTION ISOLATION LEVEL with transactions.
import assert from 'node:assert/strict';
import { DataTypes, Sequelize, Transaction } from 'sequelize';
import {
  address,
  CROWD,
  inRounds,
  numbers,
  options,
  play,
  printVersion,
  together,
} from './common.mjs';

const { database: _, ...rest } = options;
/**
 * With or without a proxy it has no sp_helpindex, which `sync` calls, and does not take dates as texts, nor Sequelize's names of
 * savepoints; and what is there twice it says in words that Sequelize does not know.
 */
const isBabelfish = process.env.DB_PRODUCT === 'Babelfish';

const connect = () =>
  new Sequelize(address.database, address.user, address.password, {
    dialect: 'mssql',
    host: address.server,
    port: address.port,
    logging: false,
    pool: { max: 3, min: 0 },
    dialectOptions: { options: { ...rest, appName: 'shop' } },
  });

/** Applications with a table and a pool of their own each. */
async function withShops(work) {
  const shops = numbers(CROWD).map((n) => {
    const sequelize = connect();
    const Person = sequelize.define(
      `sluice_person_${n}`,
      {
        email: { type: DataTypes.STRING(100), unique: true },
        credit: { type: DataTypes.DECIMAL(10, 2), defaultValue: 0 },
        ...(!isBabelfish && { born: DataTypes.DATE }),
        isActive: { type: DataTypes.BOOLEAN, defaultValue: true },
      },
      { freezeTableName: true, timestamps: !isBabelfish },
    );
    return { sequelize, Person };
  });
  try {
    await together(shops, async ({ sequelize, Person }) => {
      if (!isBabelfish) return Person.sync({ force: true });
      await Person.drop();
      return sequelize.getQueryInterface().createTable(Person.getTableName(), Person.rawAttributes);
    });
    await work(shops);
    await together(shops, ({ Person }) => Person.drop());
  } finally {
    await together(shops, ({ sequelize }) => sequelize.close());
  }
}

await play({
  async version() {
    const sequelize = connect();
    await sequelize.authenticate();
    await sequelize.close();
    printVersion('sequelize');
  },

  async models() {
    await withShops((shops) =>
      inRounds(3, shops, async ({ Person }, n, round) => {
        const email = `p${round}@${n}.example`;
        const born = new Date('1815-12-10T12:00:00Z');
        const person = await Person.create({ email, born, credit: 1.25 });
        assert.ok(person.id > round * 3);
        await Person.bulkCreate([{ email: `a${email}` }, { email: `b${email}` }]);
        await person.increment('credit', { by: 2 });
        await person.reload();
        assert.equal(Number(person.credit), 3.25);
        if (!isBabelfish) assert.deepEqual(person.born, born);
        const found = await Person.findAll({ order: [['email', 'ASC']], limit: 2, offset: 1 });
        assert.equal(found.length, 2);
        assert.equal(await Person.count(), (round + 1) * 3);
        const name = isBabelfish ? 'SequelizeDatabaseError' : 'SequelizeUniqueConstraintError';
        await assert.rejects(Person.create({ email }), { name });
        await Person.update({ isActive: false }, { where: { email } });
        assert.equal((await Person.findOne({ where: { email } })).isActive, false);
      }),
    );
  },

  async transactions() {
    const { READ_COMMITTED, SERIALIZABLE } = Transaction.ISOLATION_LEVELS;
    await withShops((shops) =>
      inRounds(3, shops, async ({ sequelize, Person }, n, round) => {
        const isolationLevel = (n + round) % 2 === 0 ? READ_COMMITTED : SERIALIZABLE;
        await sequelize.transaction({ isolationLevel }, async (transaction) => {
          await Person.create({ email: `kept${round}@${n}` }, { transaction });
          if (isBabelfish) return;
          const nested = sequelize.transaction({ transaction }, async (inner) => {
            await Person.create({ email: `undone${round}@${n}` }, { transaction: inner });
            throw new Error('inner');
          });
          await assert.rejects(nested, { message: 'inner' });
        });
        const undone = sequelize.transaction(async (transaction) => {
          await Person.create({ email: `undone${round}@${n}` }, { transaction });
          throw new Error('outer');
        });
        await assert.rejects(undone, { message: 'outer' });
        assert.equal(await Person.count(), round + 1);
      }),
    );
  },

  async raw_queries() {
    await withShops((shops) =>
      inRounds(3, shops, async ({ sequelize }, n) => {
        const [rows] = await sequelize.query('SELECT :n AS n, @@TRANCOUNT AS t', {
          replacements: { n },
        });
        assert.deepEqual(rows, [{ n, t: 0 }]);
        const [bound] = await sequelize.query('SELECT $n AS n', { bind: { n } });
        assert.deepEqual(bound, [{ n }]);
      }),
    );
  },
});
